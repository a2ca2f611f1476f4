//go:build linux

package procession_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

func init() {
	helpers["environ"] = helpEnviron
	helpers["alternate"] = helpAlternate
	helpers["split"] = helpSplit
	helpers["last-words"] = helpLastWords
	helpers["signals"] = helpSignals
	helpers["stubborn"] = helpStubborn
	helpers["tree"] = helpTree
	helpers["flood"] = helpFlood
	helpers["burst"] = helpBurst
}

// helpEnviron prints its environment.
func helpEnviron() {
	for _, entry := range os.Environ() {
		fmt.Println(entry)
	}
}

// helpAlternate writes a numbered line for each line that it reads, to standard
// output and standard error by turns.
func helpAlternate() {
	streams := []*os.File{os.Stdout, os.Stderr}
	in := bufio.NewScanner(os.Stdin)
	for i := 0; in.Scan(); i++ {
		fmt.Fprintf(streams[i%2], "%d\n", i)
	}
}

// helpSplit writes its argument byte by byte, each once the one before it has
// been read.
func helpSplit() {
	for _, b := range []byte(os.Args[1]) {
		os.Stdout.Write([]byte{b})
		for {
			if n, err := unix.IoctlGetInt(1, unix.TIOCINQ); err != nil || n == 0 {
				break
			}
			time.Sleep(100 * time.Microsecond)
		}
	}
}

// helpLastWords writes that many lines when it is told to end, and ends.
func helpLastWords() {
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGTERM)
	fmt.Println("ready")
	<-told
	n, _ := strconv.Atoi(os.Args[1])
	out := bufio.NewWriter(os.Stdout)
	for i := range n {
		fmt.Fprintf(out, "last words %d\n", i)
	}
	out.Flush()
	os.Exit(7)
}

// helpSignals prints the name of each signal that it gets, ends with code 4 on
// its argument, and otherwise when it has seen SIGUSR2.
func helpSignals() {
	got := make(chan os.Signal, 100)
	signal.Notify(got, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGUSR2)
	fmt.Println("ready")
	for s := range got {
		name := unix.SignalName(s.(syscall.Signal))
		fmt.Println("got", name)
		if len(os.Args) > 1 && os.Args[1] == name {
			os.Exit(4)
		}
		if s == syscall.SIGUSR2 {
			return
		}
	}
}

// helpStubborn ends by nothing less than SIGKILL.
func helpStubborn() {
	signal.Ignore(syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	fmt.Println("ready")
	for {
		time.Sleep(time.Hour)
	}
}

// helpTree starts what its arguments say, as its child: "child" is a stubborn
// process in its group, "session" one in a session of its own, and "tree" is
// this again with the arguments that follow. It prints the process IDs of all of
// them, then "grown", and stays.
func helpTree() {
	for i, kind := range os.Args[1:] {
		var args []string
		env := helperVariable + "=stubborn"
		if kind == "tree" {
			env, args = helperVariable+"=tree", os.Args[i+2:]
		}
		cmd := exec.Command(os.Args[0], args...)
		cmd.Env = append(os.Environ(), env)
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: kind == "session"}
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("pid", cmd.Process.Pid)
		for in := bufio.NewScanner(out); in.Scan() && in.Text() != "ready" && in.Text() != "grown"; {
			fmt.Println(in.Text())
		}
		if kind == "tree" {
			break
		}
	}
	fmt.Println("grown")
	for {
		time.Sleep(time.Hour)
	}
}

// pids are the process IDs that a tree has printed.
func pids(text string) (found []int) {
	for line := range strings.Lines(text) {
		if number, ok := strings.CutPrefix(strings.TrimSpace(line), "pid "); ok {
			if pid, err := strconv.Atoi(number); err == nil {
				found = append(found, pid)
			}
		}
	}
	return found
}

// helpFlood writes that many numbered lines of 16 bytes.
func helpFlood() {
	n, _ := strconv.Atoi(os.Args[1])
	out := bufio.NewWriterSize(os.Stdout, 64<<10)
	for i := range n {
		fmt.Fprintf(out, "%015d\n", i)
	}
	out.Flush()
}

// helpBurst writes its argument as a line and that many bytes more, in one write,
// and stays.
func helpBurst() {
	n, _ := strconv.Atoi(os.Args[2])
	os.Stdout.Write(append([]byte(os.Args[1]+"\n"), bytes.Repeat([]byte("x"), n)...))
	for {
		time.Sleep(time.Hour)
	}
}

// backgroundWithin is a context that ends when a helper's patience does.
func backgroundWithin() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(patience, cancel)
	return ctx
}

// openFiles is how many file descriptors this process has.
func openFiles() int {
	entries, _ := os.ReadDir("/proc/self/fd")
	return len(entries)
}

// settledGoroutines is how many goroutines there are, once they are no more than
// wanted, or it has been the same for a while.
func settledGoroutines(wanted int) int {
	n, same := runtime.NumGoroutine(), 0
	for n > wanted && same < 100 {
		time.Sleep(time.Millisecond)
		if now := runtime.NumGoroutine(); now == n {
			same++
		} else {
			n, same = now, 0
		}
	}
	return n
}
