#!/bin/sh
# Makes the recordings anew: testdata/record/all.sh, in the folder plaintext.
# Look through what it made before it is kept; see testdata/README.md.
set -eu
out=$PWD/testdata
demo=/tmp/demo; rm -rf $demo; mkdir -p $demo
go build -o $demo/record ./testdata/record
cd $demo
rec() { name=$1; shift; ./record "$out/$name.rec" "$@"; }

mkdir www
head -c 3000000 /dev/urandom >www/data.bin
python3 -m http.server --bind 127.0.0.1 --directory www 8000 >/dev/null 2>&1 &
server=$!
trap 'kill $server' EXIT
sleep 1

rec python python3 -c '
import sys, time
print("building")
for i in range(201):
    n = i * 40 // 200
    sys.stdout.write("\r[%s%s] %3d%%" % ("#" * n, "." * (40 - n), i // 2))
    if i % 50 == 0: sys.stdout.write("  %d left" % (200 - i))
    sys.stdout.flush()
print("\ndone")'

rec curl curl --limit-rate 1M -o data.bin http://127.0.0.1:8000/data.bin
rec curl-bar curl -# --limit-rate 1M -o data.bin http://127.0.0.1:8000/data.bin
rec wget wget --limit-rate=2M -O data.bin http://127.0.0.1:8000/data.bin

cat >demo.c <<'C'
#include <stdio.h>

int main(void)
{
	int unused;
	printf("%s\n", 42);
	return undeclared;
}
C
rec gcc gcc -Wall -fdiagnostics-color=always -fdiagnostics-urls=always demo.c

git init -q origin
i=0
while [ $i -lt 3000 ]; do echo "$i" >origin/$i; i=$((i+1)); done
head -c 2000000 /dev/urandom >origin/data.bin
git -C origin add . && git -C origin -c user.name=demo -c user.email=demo@example.org commit -qm demo
rec git-clone git clone --progress file://$demo/origin clone

mkdir -p colours/folder && touch colours/plain colours/archive.tar.gz && ln -s plain colours/link
printf '#!/bin/sh\n' >colours/program && chmod +x colours/program
rec ls ls --color=always -F colours
rec grep grep --color=always -rn -e printf -e int demo.c

rec vim sh -c 'echo before; vim -u NONE -c "normal ihello" -c redraw -c "q!" new.txt; echo after'

for c in one two three; do
	mkdir -p crates/$c/src
	printf '[package]\nname = "%s"\nversion = "0.1.0"\nedition = "2021"\n' $c >crates/$c/Cargo.toml
	echo 'pub fn f() { let unused = 1; }' >crates/$c/src/lib.rs
done
printf '[workspace]\nmembers = ["one", "two", "three"]\nresolver = "2"\n' >crates/Cargo.toml
rec cargo sh -c 'cd crates && cargo build --offline'

mkdir -p wheel/demo wheel/demo-1.0.dist-info
head -c 3000000 /dev/urandom >wheel/demo/data.bin; : >wheel/demo/__init__.py
(cd wheel && printf 'Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n' >demo-1.0.dist-info/METADATA &&
	printf 'Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n' >demo-1.0.dist-info/WHEEL &&
	printf 'demo/__init__.py,,\ndemo/data.bin,,\ndemo-1.0.dist-info/METADATA,,\ndemo-1.0.dist-info/WHEEL,,\ndemo-1.0.dist-info/RECORD,,\n' >demo-1.0.dist-info/RECORD &&
	python3 -m zipfile -c ../www/demo-1.0-py3-none-any.whl demo demo-1.0.dist-info)
rec pip python3 -m pip --isolated install --root-user-action ignore --disable-pip-version-check --no-cache-dir --target site --no-index --find-links http://127.0.0.1:8000/ demo

# Bars on several lines: the library that pip draws with.
rec rich python3 -c '
import time
from pip._vendor.rich.progress import Progress
with Progress(refresh_per_second=20) as p:
    tasks = [p.add_task(n, total=100) for n in ("downloading", "unpacking", "checking")]
    while not p.finished:
        for i, t in enumerate(tasks): p.advance(t, 5 - i)
        if p.tasks[0].completed == 50: p.print("half of the download")
        time.sleep(.05)
print("done")'

mkdir -p module app && printf '{"name":"module","version":"1.0.0"}' >module/package.json && printf '{"name":"app","version":"1.0.0"}' >app/package.json
rec npm sh -c 'cd app && npm install --userconfig /dev/null --offline --no-audit --no-fund ../module'

rec apt-update apt-get update
rec apt-install apt-get install --reinstall -y -o Dpkg::Progress-Fancy=1 -o APT::Color=1 hostname
rec apt-install-scrolled sh -c 'seq 1 30; apt-get install --reinstall -y -o Dpkg::Progress-Fancy=1 hostname; echo after'
