/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * probe_cpu.c: is this processor a real one?
 *
 * Design: hypervisors sign leaf 0x40000000 of CPUID, which is theirs by
 * convention once bit 31 of leaf 1's ECX is set (Documentation/virt/kvm/x86/
 * cpuid.rst). QEMU without hardware support translates
 * instructions, and then times say nothing of the program.
 */
#include "cli/probe.h"

#include <string.h>

#include "shim/compiler.h"

#ifdef __x86_64__
#include <cpuid.h>

static bool signature(char text[13])
{
	unsigned int eax, ebx, ecx, edx;

	if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx >> 31))
		return false;
	__cpuid(0x40000000, eax, ebx, ecx, edx);
	memcpy(text, &ebx, 4);
	memcpy(text + 4, &ecx, 4);
	memcpy(text + 8, &edx, 4);
	text[12] = '\0';
	return true;
}
#else
static bool signature(char text[13])
{
	(void)text;
	return false;
}
#endif

const char *probe_hypervisor(bool *emulated)
{
	static const struct {
		const char *signature, *name;
		bool emulated;
	} known[] = {
		{ "TCGTCGTCGTCG", "QEMU's TCG", true },
		{ "VBoxVBoxVBox", "VirtualBox", false },
		{ "KVMKVMKVM", "KVM", false },
		{ "Microsoft Hv", "Hyper-V", false },
		{ "VMwareVMware", "VMware", false },
		{ "XenVMMXenVMM", "Xen", false },
		{ "bhyve bhyve ", "bhyve", false },
	};
	char text[13];
	size_t i;

	*emulated = false;
	if (!signature(text))
		return NULL;
	for (i = 0; i < ARRAY_LEN(known); i++) {
		if (strcmp(known[i].signature, text) != 0)
			continue;
		*emulated = known[i].emulated;
		return known[i].name;
	}
	return "a hypervisor";
}
