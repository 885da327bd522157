# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# pmemshim ab compares nothing when the command, a hook or the rules fail
. "$T_ROOT/tests/support/t_cli.sh"
t_cc ab_syncer ab_syncer.c
rules=$T_DATA,assume_pmem=yes
export TMPDIR=$T_WORK/scratch
mkdir "$TMPDIR"

# err_has TEXT: in one line of pmemshim's, beside the shim's own warnings.
err_has() {
	grep -v '^libpmemshim: assume_pmem' "$T_WORK/err" >"$T_WORK/one"
	mv "$T_WORK/one" "$T_WORK/err"
	t_one_line
	t_says err "$1"
	[ -z "$(ls "$TMPDIR")" ] || t_fail "left behind: $(ls "$TMPDIR")"
}

# The command: its status, its last lines, and where it was.
t_cli 1 ab -n 2 --arms bare -p "$rules" -- \
	sh -c 'echo first; echo second; echo third >&2; echo last; exit 7'
err_has 'no comparison: sh ended with status 7; it said: second|third|last (round 0, arm bare)'
[ ! -s "$T_WORK/out" ] || t_fail 'a verdict of nothing'
t_cli 1 ab -n 2 --arms kernel -p "$rules" -- sh -c 'kill -SEGV $$'
err_has 'sh was killed by signal SEGV (round 0, arm kernel)'
t_cli 1 ab -p "$rules" -- "$T_WORK/none"
err_has "$T_WORK/none: not found"

# The hooks: each before and after every run, with the arm and the round.
log=$T_WORK/log
# shellcheck disable=SC2016
t_cli 0 ab -n 2 --arms bare,flush -p "$rules" \
	--setup 'echo "setup $PMEMSHIM_AB_ROUND $PMEMSHIM_AB_ARM" >>'"$log" \
	--check 'echo "check $PMEMSHIM_AB_ROUND $PMEMSHIM_AB_ARM $LD_PRELOAD" >>'"$log" \
	-- sh -c "echo run >>$log"
[ "$(sed 's/ .*//' "$log" | tr '\n' ' ')" = \
	"$(for _ in 1 2 3 4 5 6; do printf 'setup run check '; done)" ] ||
	t_fail "hooks and runs: $(cat "$log")"
for arm in bare flush; do
	[ "$(grep -cE "^(setup|check) [012] $arm *\$" "$log")" = 6 ] ||
		t_fail "hooks of $arm: $(cat "$log")"
done

# A check that fails voids all, with a status of its own.
# shellcheck disable=SC2016
t_cli 3 ab -n 2 --arms bare,flush -p "$rules" --json \
	--check '[ $PMEMSHIM_AB_ROUND$PMEMSHIM_AB_ARM != 1flush ] || { echo damaged; exit 5; }' \
	-- true
err_has 'no comparison: --check ended with status 5; it said: damaged (round 1, arm flush)'
t_json 'j["verdict"] is None and "--check ended with status 5" in j["void"]'
t_cli 1 ab -n 2 -p "$rules" --setup 'exit 4' -- true
err_has 'no comparison: --setup ended with status 4 (round 0'

# The rules.
t_cli 1 ab -p "$T_DATA,mode=fast" -- true
t_says err "mode='fast'"
t_cli 1 ab -p '' -- true
t_says err "no rule in '' applies here"
t_cli 1 ab -p "$rules" --library "$T_WORK/none.so" -- true
err_has "$T_WORK/none.so"
LD_PRELOAD=$T_SO t_cli 1 ab -p "$rules" -- true
t_says err 'LD_PRELOAD holds libpmemshim already'
t_cli 1 ab -p "$rules" --report "$T_WORK/no/where.html" -- true
err_has 'No such file or directory'

# The command line.
usage() {
	local text=$1
	shift
	t_cli 2 ab "$@"
	t_one_line
	t_says err "$text"
}
usage 'no command to run'
usage "--runs: '0' is not a number from 1" -n 0 -- true
usage "'fast' is not one of bare, kernel, flush, ab" --arms fast -- true
usage "'' is not one of" --arms bare, -- true
usage 'bare is given twice' --arms bare,bare -- true
usage "--seed: '-1'" --seed -1 -- true
usage "--block: 'x'" --block x -- true

# A signal ends it, the command and the scratch directory.
"$T_CLI" ab -p "$rules" --arms bare -- sleep 977.25 2>"$T_WORK/err" &
pid=$!
for _ in $(seq 100); do
	pgrep -P $pid sleep >/dev/null && break
	sleep 0.1
done
kill -TERM $pid
wait $pid
status=$?
[ $status = 143 ] || t_fail "status $status of a terminated comparison"
err_has 'stopped by signal TERM'
if pgrep -f 'sleep 977.25' >/dev/null; then t_fail 'the command is still there'; fi

# The output of the command is kept out of the way, its input is empty.
t_cli 0 ab -n 1 -w 0 --arms bare -p "$rules" -- sh -c 'echo no"i"se; cat; echo no"i"se >&2'
t_not_says out noise
t_not_says err noise
