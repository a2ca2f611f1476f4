package testinit

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Boot must be called first in TestMain. It returns at once, unless this process is
// the init of a machine that is to run the tests: then it never returns. It mounts
// what tests expect, executes this program again, which runs the tests with the
// arguments that the kernel has passed on, prints "init: exit code N" when they
// have ended, and powers the machine off.
//
// A test binary that is process 1 of a container is not meant: there [Variable] is
// not set.
func Boot() {
	role := os.Getenv(Variable)
	if role == "" {
		return
	}
	os.Unsetenv(Variable)
	switch {
	case os.Getpid() == 1:
		boot()
	case role == parent:
		os.Exit(runTests())
	}
}

// parent is what init sets [Variable] to for the process that it starts, which runs
// the tests and is their parent. So init is not, as it is nowhere else.
const parent = "parent"

func boot() {
	if err := prepare(); err != nil {
		fmt.Println("init:", err)
	}
	if code, err := runParent(); err != nil {
		fmt.Println("init:", err)
	} else {
		fmt.Println("init: exit code", code)
	}
	powerOff()
}

// prepare makes the machine one that tests can run on.
func prepare() error {
	var errs []error
	for _, m := range []struct{ kind, where string }{
		{"proc", "/proc"}, {"sysfs", "/sys"}, {"devtmpfs", "/dev"}, {"devpts", "/dev/pts"}, {"tmpfs", "/dev/shm"}, {"tmpfs", "/tmp"},
	} {
		err := os.MkdirAll(m.where, 0o755)
		if err == nil {
			err = unix.Mount(m.kind, m.where, m.kind, 0, "")
		}
		if err != nil && err != unix.EBUSY { // it is mounted already
			errs = append(errs, fmt.Errorf("mount %s: %w", m.where, err))
		}
	}
	for name, value := range map[string]string{"PATH": "/bin", "TMPDIR": "/tmp", "HOME": "/tmp"} {
		errs = append(errs, os.Setenv(name, value))
	}
	if err := loopbackUp(); err != nil {
		errs = append(errs, fmt.Errorf("loopback: %w", err))
	}
	return errors.Join(errs...)
}

func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo)
}

// runParent starts the parent of the tests, and waits for it. Meanwhile it reaps
// what has lost its own.
func runParent() (code int, err error) {
	cmd := again()
	cmd.Env = append(os.Environ(), Variable+"="+parent)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		if err != nil && err != syscall.EINTR {
			return 0, fmt.Errorf("wait: %w", err)
		}
		if err == nil && pid == cmd.Process.Pid {
			return exitCode(status), nil
		}
	}
}

func runTests() (code int) {
	cmd := again()
	if err := cmd.Run(); cmd.ProcessState == nil {
		fmt.Println("init:", err)
		return 125
	}
	return exitCode(cmd.ProcessState.Sys().(syscall.WaitStatus))
}

// again is this program once more.
func again() *exec.Cmd {
	cmd := exec.Command(os.Args[0], os.Args[1:]...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd
}

// exitCode returns what a shell makes of a status.
func exitCode(status syscall.WaitStatus) int {
	if status.Signaled() {
		return 128 + int(status.Signal())
	}
	return status.ExitStatus()
}

func powerOff() {
	unix.IoctlSetInt(1, unix.TCSBRK, 1) // what was printed is on the console then (tcdrain(3))
	unix.Sync()
	err := unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
	fmt.Println("init: power off:", err)
	for {
		time.Sleep(time.Hour) // an init that ends is a panic
	}
}
