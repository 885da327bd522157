#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# stat says in one line what is wrong with a file, and shows the others.
. "$T_ROOT/tests/support/t_cli.sh"
cd "$T_WORK" || exit 1
t_cc stat_program stat_program.c
PMEMSHIM_STATS=good PMEMSHIM_LOG=error LD_PRELOAD=$T_SO \
	PMEMSHIM_PATHS="$T_DATA,assume_pmem=yes" "$T_BIN/stat_program" "$T_DATA/a" 10
# bad NAME TEXT
bad() {
	t_cli 1 stat "$1"
	[ ! -s out ] || t_fail "$1: something was shown"
	t_one_line
	t_says err "$1: "
	t_says err "$2"
	t_cli 1 stat "$1" good
	t_says out 'msync persisted from user space'
	t_one_line
	t_cli 1 stat --json "$1" good
	t_json 'len(j["programs"]) == 1'
}
size=$(stat -c %s good)
head -c 4 good >short
bad short 'too short'
head -c 500 good >header
bad header truncated
head -c $((size - 1)) good >lessened
bad lessened truncated
head -c "$size" /dev/urandom >noise
bad noise 'not a statistics file'
cp "$T_SO" elf
bad elf 'not a statistics file'
: >empty
bad empty 'too short'
{ head -c 8 good; printf '\377\0\0\0'; tail -c +13 good; } >future
bad future 'version 255'
bad missing 'No such file or directory'
mkdir nothing
bad nothing 'no statistics in this directory'
if [ "$(id -u)" != 0 ]; then
	cp good secret
	chmod 0 secret
	bad secret 'Permission denied'
fi
mkfifo pipe
bad ./pipe 'not a regular file'
bad 999999999999999 'no such file or process'
# Damage anywhere in it is no crash.
for seed in $(seq 40); do
	/usr/bin/python3 - "$seed" <<-'END'
		import random, sys
		random.seed(int(sys.argv[1]))
		data = bytearray(open("good", "rb").read())
		for _ in range(200):
		    data[random.randrange(12, random.choice((600, 3000, len(data))))] = random.choice((0, 255, random.randrange(256)))
		open("damaged", "wb").write(data)
	END
	"$T_CLI" stat damaged >out 2>err
	status=$?
	((status <= 1)) || t_fail "seed $seed: status $status"
	"$T_CLI" stat --json damaged >out 2>err
	status=$?
	((status <= 1)) || t_fail "seed $seed: status $status"
	t_json '"programs" in j'
	grep -q '[[:cntrl:]]' err && t_fail "seed $seed: control characters"
done
for options in '' '--watch=0 good' '--watch=x good' '--nonsense good'; do
	# shellcheck disable=SC2086 # words, or none
	t_cli 2 stat $options
	t_one_line
done
"$T_CLI" stat good >/dev/full 2>err
[ $? = 1 ] || t_fail 'a full disk went unnoticed'
t_one_line
