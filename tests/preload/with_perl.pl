# SPDX-License-Identifier: BSD-3-Clause
# File::Map: a mapping as a string; substr copies into it.
use strict;
use warnings;
use File::Map qw(map_file sync remap unmap protect);
use Time::HiRes qw(sleep);

my $path = "$ENV{T_FILES}/data";
open(my $f, '>', $path) or die;
print $f "x" x 65536;
close $f;
map_file my $map, $path, '+<';
substr($map, 0, 5000) = "p" x 5000;
sync($map);
sleep 0.03;
substr($map, 60000, 100) = "q" x 100;
sync($map) for 1 .. 3;
print length($map), " ", index($map, "q"), " ", ($map =~ tr/p//), "\n";
my $pid = fork;
if ($pid == 0) { substr($map, 0, 1) = "c"; sync($map); exit 5 }
waitpid $pid, 0;
print $? >> 8, " ", substr($map, 0, 2), "\n";
eval { substr($map, 0, 1) = "too long"; };
truncate $path, 65536;
unmap $map;
print "over\n";
