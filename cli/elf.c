/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * elf.c: what `check` wants to know of one ELF file, by libelf; see elf.h.
 */
#include "cli/elf.h"

#include <elf.h>
#include <errno.h>
#include <gelf.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/elf_code.h"

/* More than any program has; a hostile one may claim what it likes. */
#define NEEDED_MAX	1024
#define LOADS_MAX	256
#define NOTES_MAX	64
#define DYNAMIC_MAX	65536
#define PATHS_MAX	4096	/* bytes of a name or a list of directories */
#define NAME_MAX_HERE	64	/* longer ones are no function of ours */
/* Small reads for one file: in all its version and hash tables. */
#define READS_MAX	(1 << 18)

const char *const elf_function_names[ELF_FUNCTIONS] = {
#define SYMBOL(result, name, ...) [ELF_##name] = #name,
#include "shim/symbols.def"
#undef SYMBOL
};

struct reader {
	int fd;
	Elf *elf;
	uint64_t size;
	struct elf_file *out;
	const char *why;
	GElf_Phdr loads[LOADS_MAX];
	size_t nloads;
	unsigned int nnotes;
	unsigned int reads;	/* small ones so far */
	/* The dynamic segment; 0 is no address of any of these. */
	GElf_Addr strings, symbols, hash, gnu_hash, versym, verneed;
	GElf_Addr rela, plt_rela;
	uint64_t strings_len, rela_len, plt_rela_len;
	Elf_Data *text;		/* the string table */
	uint64_t dlopen_index;	/* its symbol, if it is called */
	struct code_calls dlopen;
	size_t nscanned;	/* segments that are looked through */
};

static int damaged(struct reader *r, const char *why)
{
	r->why = why;
	return -EINVAL;
}

/* This command's own header, which the linker puts there. */
extern const Elf64_Ehdr __ehdr_start __attribute__((visibility("hidden")));

static bool is_native(const GElf_Ehdr *ehdr)
{
	return ehdr->e_ident[EI_CLASS] == __ehdr_start.e_ident[EI_CLASS] &&
	       ehdr->e_ident[EI_DATA] == __ehdr_start.e_ident[EI_DATA] &&
	       ehdr->e_machine == __ehdr_start.e_machine;
}

/* --- Pieces of the file --------------------------------------------------- */

static Elf_Data *chunk(struct reader *r, uint64_t offset, uint64_t len,
		       Elf_Type type)
{
	if (len == 0 || offset > r->size || len > r->size - offset)
		return NULL;
	return elf_getdata_rawchunk(r->elf, (int64_t)offset, len, type);
}

/* The offset of an address, and the bytes from there that the file has. */
static bool locate(const struct reader *r, GElf_Addr addr, uint64_t *offset,
		   uint64_t *len)
{
	size_t i;

	for (i = 0; i < r->nloads; i++) {
		const GElf_Phdr *load = &r->loads[i];

		if (addr < load->p_vaddr ||
		    addr - load->p_vaddr >= load->p_filesz)
			continue;
		*offset = load->p_offset + (addr - load->p_vaddr);
		*len = load->p_filesz - (addr - load->p_vaddr);
		return *offset <= r->size && *len <= r->size - *offset;
	}
	return false;
}

/* len bytes at an address, in memory; NULL: they are not in the file. */
static Elf_Data *memory(struct reader *r, GElf_Addr addr, uint64_t len,
			Elf_Type type)
{
	uint64_t offset, there;

	if (!locate(r, addr, &offset, &there) || len > there)
		return NULL;
	return chunk(r, offset, len, type);
}

/* A few bytes at an address; false: they are not there, or it was enough. */
static bool peek(struct reader *r, GElf_Addr addr, void *to, size_t len)
{
	uint64_t offset, there;

	return r->reads++ < READS_MAX && locate(r, addr, &offset, &there) &&
	       there >= len &&
	       pread(r->fd, to, len, (off_t)offset) == (ssize_t)len;
}

static bool peek_u32(struct reader *r, GElf_Addr addr, uint32_t *value)
{
	return peek(r, addr, value, sizeof(*value));
}

/* A string of the string table; NULL: no end of it within max bytes. */
static const char *string_at(const struct reader *r, uint64_t index, size_t max)
{
	const char *text;
	size_t there;

	if (!r->text || index >= r->text->d_size)
		return NULL;
	text = (const char *)r->text->d_buf + index;
	there = r->text->d_size - index;
	return memchr(text, '\0', there < max ? there : max) ? text : NULL;
}

/* --- Program headers -------------------------------------------------------*/

static int read_interp(struct reader *r, const GElf_Phdr *phdr)
{
	Elf_Data *data = NULL;

	/* The kernel takes the first one. */
	if (r->out->interp)
		return 0;
	if (phdr->p_filesz <= PATHS_MAX)
		data = chunk(r, phdr->p_offset, phdr->p_filesz, ELF_T_BYTE);
	if (!data || !memchr(data->d_buf, '\0', data->d_size))
		return damaged(r, "the interpreter's name is not in it");
	r->out->interp = cli_strdup(data->d_buf);
	return 0;
}

/* Go's linker leaves a note of its own beside the GNU build ID. */
static void read_notes(struct reader *r, const GElf_Phdr *phdr)
{
	Elf_Data *data = NULL;
	GElf_Nhdr note;
	size_t next = 0, name, desc;

	if (phdr->p_filesz <= 65536 && r->nnotes++ < NOTES_MAX)
		data = chunk(r, phdr->p_offset, phdr->p_filesz,
			     phdr->p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR);
	while (data && (next = gelf_getnote(data, next, &note, &name, &desc))) {
		if (note.n_namesz == 4 &&
		    !memcmp((const char *)data->d_buf + name, "Go\0", 4))
			r->out->go = true;
	}
}

static int read_phdr(struct reader *r, const GElf_Phdr *phdr, GElf_Phdr *dynamic)
{
	switch (phdr->p_type) {
	case PT_INTERP:
		return read_interp(r, phdr);
	case PT_NOTE:
		read_notes(r, phdr);
		return 0;
	case PT_DYNAMIC:
		*dynamic = *phdr;
		return 0;
	case PT_LOAD:
		if (phdr->p_offset > r->size ||
		    phdr->p_filesz > r->size - phdr->p_offset)
			return damaged(r, "it is truncated: a segment ends behind the file");
		if (r->nloads == LOADS_MAX)
			return damaged(r, "it has too many segments");
		r->loads[r->nloads++] = *phdr;
		return 0;
	default:
		return 0;
	}
}

static int read_phdrs(struct reader *r, GElf_Phdr *dynamic)
{
	size_t i, n;
	GElf_Phdr phdr;
	int ret = 0;

	if (elf_getphdrnum(r->elf, &n) != 0)
		return damaged(r, "its program headers cannot be read");
	for (i = 0; i < n && ret == 0; i++) {
		if (!gelf_getphdr(r->elf, (int)i, &phdr))
			return damaged(r, "its program headers are not in it");
		ret = read_phdr(r, &phdr, dynamic);
	}
	if (ret == 0 && r->nloads == 0)
		return damaged(r, "it has no segment to load");
	return ret;
}

/* --- The dynamic segment ---------------------------------------------------*/

static void note_address(struct reader *r, const GElf_Dyn *dyn)
{
	switch (dyn->d_tag) {
	case DT_STRTAB:
		r->strings = dyn->d_un.d_ptr;
		break;
	case DT_STRSZ:
		r->strings_len = dyn->d_un.d_val;
		break;
	case DT_SYMTAB:
		r->symbols = dyn->d_un.d_ptr;
		break;
	case DT_HASH:
		r->hash = dyn->d_un.d_ptr;
		break;
	case DT_GNU_HASH:
		r->gnu_hash = dyn->d_un.d_ptr;
		break;
	case DT_VERSYM:
		r->versym = dyn->d_un.d_ptr;
		break;
	case DT_VERNEED:
		r->verneed = dyn->d_un.d_ptr;
		break;
	case DT_RELA:
		r->rela = dyn->d_un.d_ptr;
		break;
	case DT_RELASZ:
		r->rela_len = dyn->d_un.d_val;
		break;
	case DT_JMPREL:
		r->plt_rela = dyn->d_un.d_ptr;
		break;
	case DT_PLTRELSZ:
		r->plt_rela_len = dyn->d_un.d_val;
		break;
	case DT_FLAGS_1:
		r->out->pie = (dyn->d_un.d_val & DF_1_PIE) != 0;
		r->out->no_default = (dyn->d_un.d_val & DF_1_NODEFLIB) != 0;
		break;
	default:
		break;
	}
}

static int add_needed(struct reader *r, const char *name)
{
	struct elf_file *out = r->out;

	if (out->nneeded == NEEDED_MAX)
		return damaged(r, "it needs too many libraries");
	out->needed = cli_realloc(out->needed,
				  (out->nneeded + 1) * sizeof(*out->needed));
	out->needed[out->nneeded++] = cli_strdup(name);
	return 0;
}

static int note_text(struct reader *r, const GElf_Dyn *dyn)
{
	char **place;
	const char *text;

	switch (dyn->d_tag) {
	case DT_NEEDED:
		place = NULL;
		break;
	case DT_SONAME:
		place = &r->out->soname;
		break;
	case DT_RPATH:
		place = &r->out->rpath;
		break;
	case DT_RUNPATH:
		place = &r->out->runpath;
		break;
	default:
		return 0;
	}
	text = string_at(r, dyn->d_un.d_val, PATHS_MAX);
	if (!text)
		return damaged(r, "a name of its dynamic segment is not in it");
	if (!place)
		return add_needed(r, text);
	free(*place);
	*place = cli_strdup(text);
	return 0;
}

static int read_dynamic(struct reader *r, const GElf_Phdr *phdr)
{
	Elf_Data *data = chunk(r, phdr->p_offset, phdr->p_filesz, ELF_T_DYN);
	GElf_Dyn dyn;
	int i, ret = 0;

	if (!data)
		return damaged(r, "its dynamic segment is not in it");
	for (i = 0; i < DYNAMIC_MAX && gelf_getdyn(data, i, &dyn) &&
		    dyn.d_tag != DT_NULL; i++)
		note_address(r, &dyn);
	r->text = memory(r, r->strings, r->strings_len, ELF_T_BYTE);
	for (i = 0; ret == 0 && i < DYNAMIC_MAX && gelf_getdyn(data, i, &dyn) &&
		    dyn.d_tag != DT_NULL; i++)
		ret = note_text(r, &dyn);
	return ret;
}

/* --- Symbols ---------------------------------------------------------------*/

/* One more than the last symbol that the relocations need. */
static uint64_t count_by_relocations(struct reader *r, GElf_Addr addr,
				     uint64_t len)
{
	Elf_Data *data = addr ? memory(r, addr, len, ELF_T_RELA) : NULL;
	uint64_t count = 0;
	GElf_Rela rela;
	int i;

	for (i = 0; data && gelf_getrela(data, i, &rela); i++)
		if (GELF_R_SYM(rela.r_info) >= count)
			count = GELF_R_SYM(rela.r_info) + 1;
	return count;
}

/*
 * The end of the last chain: a GNU hash table does not say how many symbols
 * there are. Those that are not defined here stand in front of its first one,
 * if it has any.
 */
static uint64_t count_by_gnu_hash(struct reader *r)
{
	uint32_t header[3], last = 0, hash = 0;	/* buckets, first, words */
	GElf_Addr buckets, chains;
	Elf_Data *data;
	size_t i;

	if (!peek(r, r->gnu_hash, header, sizeof(header)))
		return 0;
	buckets = r->gnu_hash + 16 + (uint64_t)header[2] * (r->out->bits / 8);
	chains = buckets + 4 * (uint64_t)header[0];
	data = memory(r, buckets, 4 * (uint64_t)header[0], ELF_T_WORD);
	for (i = 0; data && i < header[0]; i++)
		if (((uint32_t *)data->d_buf)[i] > last)
			last = ((uint32_t *)data->d_buf)[i];
	if (last < header[1])
		return header[1];
	while (!(hash & 1) &&
	       peek_u32(r, chains + 4 * (uint64_t)(last - header[1]), &hash))
		last++;
	return last;
}

static uint64_t count_symbols(struct reader *r)
{
	uint64_t entry = gelf_fsize(r->elf, ELF_T_SYM, 1, EV_CURRENT);
	uint64_t count = 0, other, offset, there;
	uint32_t chains;

	if (!r->symbols || !locate(r, r->symbols, &offset, &there))
		return 0;
	if (r->hash && peek_u32(r, r->hash + 4, &chains))
		count = chains;
	else if (r->gnu_hash)
		count = count_by_gnu_hash(r);
	other = count_by_relocations(r, r->rela, r->rela_len);
	if (other > count)
		count = other;
	other = count_by_relocations(r, r->plt_rela, r->plt_rela_len);
	if (other > count)
		count = other;
	return count < there / entry ? count : there / entry;
}

/*
 * The name of a version that is asked for; NULL: none, or not to be found.
 * The structures are the same for both word sizes.
 */
static const char *version_name(struct reader *r, GElf_Half wanted)
{
	GElf_Addr at = r->verneed, place;
	Elf64_Verneed need;
	Elf64_Vernaux aux;
	unsigned int i;

	while (peek(r, at, &need, sizeof(need))) {
		place = at + need.vn_aux;
		for (i = 0; i < need.vn_cnt; i++) {
			if (!peek(r, place, &aux, sizeof(aux)))
				return NULL;
			if (aux.vna_other == wanted)
				return string_at(r, aux.vna_name, NAME_MAX_HERE);
			place += aux.vna_next;
		}
		if (need.vn_next == 0)
			break;
		at += need.vn_next;
	}
	return NULL;
}

/* Version numbers 0 and 1 are "local" and "any"; bit 15 is "hidden". */
static const char *symbol_version(struct reader *r, uint64_t index)
{
	GElf_Half number;

	if (!r->versym || !r->verneed ||
	    !peek(r, r->versym + index * sizeof(number), &number,
		  sizeof(number)))
		return NULL;
	number &= 0x7fff;
	return number > 1 ? version_name(r, number) : NULL;
}

static enum elf_function find_function(const char *name)
{
	unsigned int i;

	for (i = 0; i < ELF_FUNCTIONS; i++)
		if (!strcmp(elf_function_names[i], name))
			break;
	return (enum elf_function)i;
}

static void add_import(struct reader *r, enum elf_function function,
		       const char *version)
{
	struct elf_file *out = r->out;
	size_t i;

	for (i = 0; i < out->nimports; i++) {
		const char *other = out->imports[i].version;

		if (out->imports[i].function == function &&
		    !strcmp(other ? other : "", version ? version : ""))
			return;
	}
	/* A hostile table can name one function as often as it likes. */
	if (out->nimports == (size_t)4 * ELF_FUNCTIONS)
		return;
	out->imports = cli_realloc(out->imports,
				   (out->nimports + 1) * sizeof(*out->imports));
	out->imports[out->nimports++] = (struct elf_import){
		function, version ? cli_strdup(version) : NULL};
}

static void read_symbol(struct reader *r, uint64_t index, const GElf_Sym *sym)
{
	const char *name = string_at(r, sym->st_name, NAME_MAX_HERE);
	bool imported = sym->st_shndx == SHN_UNDEF;
	enum elf_function function;

	if (!name || !*name || GELF_ST_BIND(sym->st_info) == STB_LOCAL)
		return;
	function = find_function(name);
	if (function < ELF_FUNCTIONS) {
		if (imported)
			add_import(r, function, symbol_version(r, index));
		else
			r->out->defines[function] = true;
	} else if (imported) {
		if (!strcmp(name, "dlopen")) {
			r->out->calls_dlopen = true;
			r->dlopen_index = index;
		}
		r->out->calls_dlmopen |= !strcmp(name, "dlmopen");
		r->out->calls_syscall |= !strcmp(name, "syscall");
	}
}

static void read_symbols(struct reader *r)
{
	uint64_t count = count_symbols(r), i;
	Elf_Data *data;
	GElf_Sym sym;

	data = memory(r, r->symbols,
		      count * gelf_fsize(r->elf, ELF_T_SYM, 1, EV_CURRENT),
		      ELF_T_SYM);
	for (i = 0; data && i < count && gelf_getsym(data, (int)i, &sym); i++)
		read_symbol(r, i, &sym);
}

/* --- Code and data ---------------------------------------------------------*/

#define BLOCK	((size_t)1 << 20)

enum pass { PASS_SYSCALLS, PASS_STUBS, PASS_DEEPBIND };

static void scan_block(struct reader *r, const struct code_block *block,
		       enum pass pass)
{
	switch (pass) {
	case PASS_SYSCALLS:
		code_find_syscalls(r->out, block);
		break;
	case PASS_STUBS:
		code_find_stubs(&r->dlopen, block);
		break;
	case PASS_DEEPBIND:
		code_find_deepbind(r->out, &r->dlopen, block);
		break;
	}
}

/*
 * A segment's code in blocks, each with a few bytes of the last one before it
 * and of the next one behind it.
 */
static void scan_code(struct reader *r, const GElf_Phdr *load,
		      unsigned char *buf, enum pass pass)
{
	uint64_t offset = 0, left;

	while (offset < load->p_filesz) {
		struct code_block block = {
			.before = offset ? CODE_BEFORE : 0,
			.addr = load->p_vaddr + offset,
		};

		left = load->p_filesz - offset;
		block.len = left < BLOCK ? (size_t)left : BLOCK;
		left -= block.len;
		block.behind = left < CODE_BEHIND ? (size_t)left : CODE_BEHIND;
		block.bytes = buf + block.before;
		left = block.before + block.len + block.behind;
		if (pread(r->fd, buf, left,
			  (off_t)(load->p_offset + offset - block.before)) !=
		    (ssize_t)left)
			return;
		scan_block(r, &block, pass);
		offset += block.len;
	}
}

/* Text that a program has which lets RTLD_DEEPBIND be asked for or refused. */
static void scan_data(struct reader *r, const GElf_Phdr *load,
		      unsigned char *buf)
{
	static const char word[] = "DEEPBIND";
	uint64_t offset;

	for (offset = 0; offset < load->p_filesz; offset += BLOCK) {
		uint64_t left = load->p_filesz - offset;
		size_t len = BLOCK + sizeof(word);

		if (left < len)
			len = (size_t)left;
		if (pread(r->fd, buf, len, (off_t)(load->p_offset + offset)) !=
		    (ssize_t)len)
			return;
		if (memmem(buf, len, word, sizeof(word) - 1))
			r->out->names_deepbind = true;
	}
}

static void scan_all(struct reader *r, unsigned char *buf, enum pass pass)
{
	size_t i;

	for (i = 0; i < r->nscanned; i++) {
		if (r->loads[i].p_flags & PF_X)
			scan_code(r, &r->loads[i], buf, pass);
	}
}

static void find_slots(struct reader *r, GElf_Addr addr, uint64_t len)
{
	Elf_Data *data = addr ? memory(r, addr, len, ELF_T_RELA) : NULL;
	GElf_Rela rela;
	int i;

	for (i = 0; data && gelf_getrela(data, i, &rela); i++)
		if (GELF_R_SYM(rela.r_info) == r->dlopen_index &&
		    r->dlopen.nslots < CODE_SLOTS)
			r->dlopen.slots[r->dlopen.nslots++] = rela.r_offset;
}

static void scan_dlopen(struct reader *r, unsigned char *buf)
{
	size_t i;

	/* With -z noseparate-code, data lie among the code, too. */
	for (i = 0; i < r->nscanned; i++)
		if (!(r->loads[i].p_flags & PF_W))
			scan_data(r, &r->loads[i], buf);
	if (r->out->machine != EM_X86_64)
		return;
	find_slots(r, r->rela, r->rela_len);
	find_slots(r, r->plt_rela, r->plt_rela_len);
	if (r->dlopen.nslots == 0)
		return;
	scan_all(r, buf, PASS_STUBS);
	scan_all(r, buf, PASS_DEEPBIND);
}

/*
 * Segments of a sound file do not overlap, so all of them together are no
 * more than the file; a hostile one can name the same gigabyte 256 times.
 */
static size_t segments_to_scan(const struct reader *r)
{
	uint64_t left = r->size;
	size_t i;

	for (i = 0; i < r->nloads && r->loads[i].p_filesz <= left; i++)
		left -= r->loads[i].p_filesz;
	return i;
}

static void scan_segments(struct reader *r)
{
	unsigned char *buf = cli_alloc(CODE_BEFORE + BLOCK + CODE_BEHIND);

	r->nscanned = segments_to_scan(r);
	scan_all(r, buf, PASS_SYSCALLS);
	if (r->out->calls_dlopen)
		scan_dlopen(r, buf);
	free(buf);
}

/* --- The whole -------------------------------------------------------------*/

static int read_elf(struct reader *r)
{
	GElf_Phdr dynamic = {0};
	GElf_Ehdr ehdr;
	int ret;

	if (!gelf_getehdr(r->elf, &ehdr))
		return damaged(r, "its header cannot be read");
	r->out->bits = gelf_getclass(r->elf) == ELFCLASS32 ? 32 : 64;
	r->out->type = ehdr.e_type;
	r->out->machine = ehdr.e_machine;
	r->out->native = is_native(&ehdr);
	if (!r->out->native ||
	    (ehdr.e_type != ET_EXEC && ehdr.e_type != ET_DYN))
		return 0;
	ret = read_phdrs(r, &dynamic);
	if (ret == 0 && dynamic.p_type == PT_DYNAMIC) {
		r->out->dynamic = true;
		ret = read_dynamic(r, &dynamic);
	}
	if (ret)
		return ret;
	read_symbols(r);
	scan_segments(r);
	return 0;
}

int elf_file_read(int fd, struct elf_file *out, const char **why)
{
	struct reader *r = cli_alloc(sizeof(*r));
	unsigned char magic[SELFMAG];
	struct stat st;
	int ret = -ENOEXEC;

	*out = (struct elf_file){0};
	*r = (struct reader){.fd = fd, .out = out};
	if (fstat(fd, &st) != 0 || st.st_size < SELFMAG ||
	    pread(fd, magic, sizeof(magic), 0) != (ssize_t)sizeof(magic) ||
	    memcmp(magic, ELFMAG, SELFMAG))
		goto out_free;
	r->size = (uint64_t)st.st_size;
	elf_version(EV_CURRENT);
	r->elf = elf_begin(fd, ELF_C_READ, NULL);
	if (r->elf && elf_kind(r->elf) == ELF_K_ELF)
		ret = read_elf(r);
	else
		ret = damaged(r, "its header cannot be read");
	elf_end(r->elf);
out_free:
	*why = r->why;
	free(r);
	return ret;
}

void elf_file_free(struct elf_file *file)
{
	size_t i;

	for (i = 0; i < file->nneeded; i++)
		free(file->needed[i]);
	for (i = 0; i < file->nimports; i++)
		free(file->imports[i].version);
	free(file->needed);
	free(file->imports);
	free(file->interp);
	free(file->soname);
	free(file->rpath);
	free(file->runpath);
	*file = (struct elf_file){0};
}

bool elf_imports(const struct elf_file *file, enum elf_function function)
{
	size_t i;

	for (i = 0; i < file->nimports; i++)
		if (file->imports[i].function == function)
			return true;
	return false;
}

const char *elf_machine_name(unsigned int machine)
{
	switch (machine) {
	case EM_386:
		return "i386";
	case EM_X86_64:
		return "x86-64";
	case EM_ARM:
		return "arm";
	case EM_AARCH64:
		return "aarch64";
	case EM_RISCV:
		return "risc-v";
	case EM_PPC64:
		return "ppc64";
	case EM_S390:
		return "s390";
	default:
		return NULL;
	}
}
