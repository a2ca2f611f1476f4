//go:build linux

package faults

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/procession-go/procession/internal/testkit"
)

// daemon is a program that a shell line starts, and that writes its process ID into the
// file pid of its directory.
type daemon struct {
	name     string
	line     string
	helper   string   // what the test binary is to be when the line executes $SELF
	programs []string // that must be there
	children int      // that it has itself
	root     bool     // its engine must be root
	setuid   bool     // it needs a copy of the test binary that is setuid root
	config   func(t *testing.T, dir string)
}

// setuidVar names a copy of this binary that is setuid root.
const setuidVar = "PROCESSION_FAULTS_SETUID"

var daemons = []*daemon{
	{name: "redis", line: `redis-server redis.conf >log 2>&1`, programs: []string{"redis-server"}, config: redisConfig},
	{name: "nginx", line: `nginx -p . -c nginx.conf -e error.log >log 2>&1`, programs: []string{"nginx"}, config: nginxConfig, children: 1},
	{name: "perl that sets its title", programs: []string{"perl"}, line: `perl -e '
		use POSIX; exit if fork; POSIX::setsid(); exit if fork;
		$0 = "a title that is longer than " . "the environment " x 200;
		open F, ">pid"; print F "$$\n"; close F; sleep 1000' </dev/null >/dev/null 2>&1`},
	{name: "overwritten environment", line: `"$SELF" >/dev/null 2>&1 &`, helper: "titled"},
	{name: "empty environment", line: `setsid env -i sh -c 'echo $$ >pid; exec sleep 1000' >/dev/null 2>&1 &`},
	{name: "empty environment and a double fork", line: `(setsid env -i sh -c '(sh -c "echo \$\$ >pid; exec env -i sleep 1000" &)' >/dev/null 2>&1 &)`},
	{name: "undumpable", line: `setsid env -i ` + helperVar + `=undumpable "$SELF" >/dev/null 2>&1 &`, helper: "undumpable"},
	{name: "undumpable for a while", line: `setsid env -i ` + helperVar + `=undumpable-for-a-while "$SELF" >/dev/null 2>&1 &`, helper: "undumpable-for-a-while"},
	{name: "setuid for a while", line: `setsid env -i ` + helperVar + `=setuid "$` + setuidVar + `" >/dev/null 2>&1 &`, helper: "setuid", setuid: true},
	{name: "a chosen process ID", line: `python3 chooses.py >log 2>&1`, programs: []string{"python3"}, root: true, config: choosesScript},
}

func (d *daemon) needs(t *testing.T) {
	t.Helper()
	needsMarks(t)
	testkit.Needs(t, d.programs...)
	testkit.NeedsFor(t, d.line)
	if d.root && os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	if d.setuid && os.Getenv(setuidVar) == "" {
		t.Skip("needs a setuid program, and an engine that is not root: see TestDaemonsEndWithAnEngineOfNobody")
	}
}

// dir is a directory for the daemon to live in.
func (d *daemon) dir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if d.config != nil {
		d.config(t, dir)
	}
	return dir
}

// freePort is a port that nobody listens on.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func writeFile(t *testing.T, dir, name, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
}

func redisConfig(t *testing.T, dir string) {
	writeFile(t, dir, "redis.conf", fmt.Sprintf("bind 127.0.0.1\nport %d\ndaemonize yes\npidfile %s/pid\ndir %[2]s\nsave \"\"\n", freePort(t), dir))
}

func nginxConfig(t *testing.T, dir string) {
	writeFile(t, dir, "nginx.conf", fmt.Sprintf(`
pid %[2]s/pid;
error_log %[2]s/error.log;
worker_processes 1;
events {}
http {
	access_log off;
	client_body_temp_path %[2]s/a; proxy_temp_path %[2]s/b; fastcgi_temp_path %[2]s/c; uwsgi_temp_path %[2]s/d; scgi_temp_path %[2]s/e;
	server { listen 127.0.0.1:%[1]d; }
}
`, freePort(t), dir))
}

// choosesScript forks with process IDs that it chooses (clone3(2), set_tid), below the
// last one that was given out.
func choosesScript(t *testing.T, dir string) {
	writeFile(t, dir, "chooses.py", `
import ctypes, os, struct, sys, time
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
for number in range(310 + os.getpid() % 97 * 7, 32000, 3):
    if os.path.exists("/proc/%d" % number):
        continue
    tids = (ctypes.c_int * 1)(number)
    args = ctypes.create_string_buffer(struct.pack("11Q", 0, 0, 0, 0, 17, 0, 0, 0, ctypes.addressof(tids), 1, 0))
    pid = libc.syscall(435, args, 88)
    if pid == 0:
        os.setsid()
        os.execve("/bin/sh", ["sh", "-c", "echo $$ >pid; exec env -i sleep 1000"], {})
    if pid > 0:
        break
`)
}

func init() {
	helpers["titled"] = func([]string) {
		if os.Getpid() != mustSid() {
			unix.Setsid()
		}
		overwriteEnvironment()
		announceAndStay()
	}
	helpers["undumpable"] = func([]string) {
		check(unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0))
		announceAndStay()
	}
	helpers["undumpable-for-a-while"] = func([]string) {
		check(unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0))
		time.Sleep(3 * time.Millisecond)
		check(unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0))
		announceAndStay()
	}
	helpers["setuid"] = func([]string) {
		check(syscall.Setuid(0)) // all of it is root
		time.Sleep(3 * time.Millisecond)
		uid := 65534
		check(syscall.Setresuid(uid, uid, uid))
		check(os.WriteFile("pid", []byte(strconv.Itoa(os.Getpid())+"\n"), 0o644))
		check(syscall.Exec("/bin/sleep", []string{"sleep", "1000"}, nil))
	}
}

func mustSid() int {
	sid, err := unix.Getsid(0)
	check(err)
	return sid
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// announceAndStay writes down the process ID, and stays.
func announceAndStay() {
	check(os.WriteFile("pid", []byte(strconv.Itoa(os.Getpid())+"\n"), 0o644))
	for {
		time.Sleep(time.Hour)
	}
}

// overwriteEnvironment does what setproctitle(3) does: where the kernel shows the
// environment there is something else.
func overwriteEnvironment() {
	changeEnvironment(func(env []byte) {
		for i := range env {
			env[i] = 'x'
		}
	})
}

// changeEnvironment changes what the kernel shows as the environment.
func changeEnvironment(change func(env []byte)) {
	text, err := os.ReadFile("/proc/self/stat")
	check(err)
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	const start, end = 50 - 3, 51 - 3 // env_start and env_end, proc_pid_stat(5)
	from, err := strconv.ParseUint(fields[start], 10, 64)
	check(err)
	to, err := strconv.ParseUint(fields[end], 10, 64)
	check(err)
	memory, err := os.OpenFile("/proc/self/mem", os.O_RDWR, 0)
	check(err)
	defer memory.Close()
	env := make([]byte, to-from)
	_, err = memory.ReadAt(env, int64(from))
	check(err)
	change(env)
	_, err = memory.WriteAt(env, int64(from))
	check(err)
}
