package program

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

func init() {
	All["environ"] = environ
	All["alternate"] = alternate
	All["split"] = split
	All["last-words"] = lastWords
	All["signals"] = signals
	All["stubborn"] = stubborn
	All["tree"] = tree
	All["flood"] = flood
	All["burst"] = burst
}

// environ prints its environment.
func environ() {
	for _, entry := range os.Environ() {
		fmt.Println(entry)
	}
}

// alternate writes a numbered line for each line that it reads, to standard
// output and standard error by turns.
func alternate() {
	streams := []*os.File{os.Stdout, os.Stderr}
	in := bufio.NewScanner(os.Stdin)
	for i := 0; in.Scan(); i++ {
		fmt.Fprintf(streams[i%2], "%d\n", i)
	}
}

// split writes its argument byte by byte, each once the one before it has
// been read.
func split() {
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

// lastWords writes that many lines when it is told to end, and ends.
func lastWords() {
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

// signals prints the name of each signal that it gets, ends with code 4 on
// its argument, and otherwise when it has seen SIGUSR2.
func signals() {
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

// stubborn ends by nothing less than SIGKILL.
func stubborn() {
	signal.Ignore(syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	fmt.Println("ready")
	for {
		time.Sleep(time.Hour)
	}
}

// tree starts what its arguments say, as its child: "child" is a stubborn
// process in its group, "session" one in a session of its own, and "tree" is
// this again with the arguments that follow. It prints the process IDs of all of
// them, then "grown", and stays.
func tree() {
	for i, kind := range os.Args[1:] {
		var args []string
		env := Variable + "=stubborn"
		if kind == "tree" {
			env, args = Variable+"=tree", os.Args[i+2:]
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

// PIDs are the process IDs that the program "tree" has printed.
func PIDs(text string) (found []int) {
	for line := range strings.Lines(text) {
		if number, ok := strings.CutPrefix(strings.TrimSpace(line), "pid "); ok {
			if pid, err := strconv.Atoi(number); err == nil {
				found = append(found, pid)
			}
		}
	}
	return found
}

// flood writes that many numbered lines of 16 bytes.
func flood() {
	n, _ := strconv.Atoi(os.Args[1])
	out := bufio.NewWriterSize(os.Stdout, 64<<10)
	for i := range n {
		fmt.Fprintf(out, "%015d\n", i)
	}
	out.Flush()
}

// burst writes its argument as a line and that many bytes more, in one write,
// and stays.
func burst() {
	n, _ := strconv.Atoi(os.Args[2])
	os.Stdout.Write(append([]byte(os.Args[1]+"\n"), bytes.Repeat([]byte("x"), n)...))
	for {
		time.Sleep(time.Hour)
	}
}
