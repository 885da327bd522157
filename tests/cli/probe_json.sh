# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# pmemshim probe --json says the same as the text, for any name a file can have
. "$T_ROOT/tests/support/t_cli.sh"

dir=$T_DATA/db
mkdir -p "$dir/off"
export PMEMSHIM_PATHS="$dir,assume_pmem=yes,copy_min=2K;$dir/off,mode=off" PMEMSHIM_LOG=error
nasty=$'a "quoted"\n\\ back\tslash \xff \xc3\xa9'
: >"$dir/$nasty"
echo data >"$dir/file"

t_cli 2 probe --json "$dir/file" "$dir/off" "$dir/new" "$dir/$nasty" "$dir/none/x" /dev/null
t_one_line
t_json "len(j['paths']) == 6"
t_json "[p['outcome'] for p in j['paths']] == ['assumed', 'kernel', 'assumed', 'assumed', 'error', 'kernel']"
t_json "[p.get('target') for p in j['paths']] == ['file', 'directory', 'new file', 'file', None, 'other']"
t_json "j['paths'][0]['path'] == '$dir/file' and j['paths'][0]['reasons'][0]['id'] == 'assume-pmem'"
t_json "j['paths'][0]['reasons'][1]['id'] == 'no-dax-fs'"
t_json "j['paths'][0]['rule']['path'] == '$dir' and j['paths'][0]['rule']['copy_min'] == '2048'"
t_json "j['paths'][0]['map_sync'] == {'tried': True, 'granted': False, 'error': 'EOPNOTSUPP'}"
t_json "j['paths'][0]['file_system']['type'] == 'tmpfs' and j['paths'][0]['device'] is None"
t_json "j['paths'][1]['reasons'][0]['id'] == 'mode-off' and not j['paths'][1]['policy']['in_force']"
t_json "j['paths'][2]['inode']['temporary'] and not j['paths'][0]['inode']['temporary']"
t_json "j['paths'][3]['path'].startswith('$dir/a \"quoted\"\n\\\\ back\tslash \ufffd \u00e9')"
t_json "j['paths'][4]['error'] == 'No such file or directory'"
t_json "j['paths'][0]['cost']['persist_4k']['tries'] >= 11 and j['paths'][0]['cost']['persist_4k']['median_ns'] > 0"
t_json "j['paths'][0]['cost']['msync_4k']['tries'] >= 11"
t_json "j['paths'][1]['cost']['persist_4k']['median_ns'] is None"

# What the processor can do, by what Linux says of it.
for name in clwb clflushopt clflush; do
	cpuinfo=$name
	[ $name != clflush ] || cpuinfo='clflush '
	grep -qm1 "^flags.* $cpuinfo" /proc/cpuinfo && there=True || there=False
	t_json "('$name' in j['cpu']['flush']) == $there"
done
grep -qm1 '^flags.* hypervisor' /proc/cpuinfo && there=True || there=False
t_json "(j['cpu']['hypervisor'] is not None) == $there"
t_json "j['paths'][0]['policy']['flush'] == j['cpu']['flush'][-1]"

# In the text a nasty name stays in its lines.
t_cli 0 probe --no-cost "$dir/file"
lines=$(wc -l <"$T_WORK/out")
t_cli 0 probe --no-cost "$dir/$nasty"
[ "$(wc -l <"$T_WORK/out")" = "$lines" ] || t_fail 'a name is spread over lines'

# --no-cost: nothing is measured, nor said to be.
t_cli 0 probe --json --no-cost "$dir/file"
t_json "j['paths'][0]['cost']['persist_4k'] == {'median_ns': None, 'tries': 0, 'not_measured': None}"
