package clitest

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

// helpers are the programs that the command line runs here.
var helpers = map[string]func(){
	// binary writes as many bytes as its argument says to each stream, in turn.
	"binary": func() {
		n, _ := strconv.ParseInt(os.Args[1], 10, 64)
		out, errs := Noise(1, n), Noise(2, n)
		buffer := make([]byte, 100_003)
		for {
			_, end := io.CopyBuffer(onlyWriter{os.Stdout}, io.LimitReader(out, 60_000), buffer)
			k, _ := io.CopyBuffer(onlyWriter{os.Stderr}, io.LimitReader(errs, 60_000), buffer)
			if end != nil || k == 0 {
				return
			}
		}
	},
	// stubborn says its PID and does not end when it is asked to.
	"stubborn": func() {
		signal.Ignore(syscall.SIGTERM)
		fmt.Println(os.Getpid())
		time.Sleep(1 << 62) // not select: without cgo that would be a deadlock
	},
	// polite says its PID, and when it is asked to end, good-bye; it returns 4.
	"polite": func() {
		asked := make(chan os.Signal, 1)
		signal.Notify(asked, syscall.SIGTERM)
		fmt.Println(os.Getpid())
		<-asked
		fmt.Println("good-bye")
		os.Exit(4)
	},
	// flood says its PID on stderr and writes noise to stdout.
	"flood": func() {
		n, _ := strconv.ParseInt(os.Args[1], 10, 64)
		fmt.Fprintln(os.Stderr, os.Getpid())
		w := bufio.NewWriterSize(os.Stdout, 1<<20)
		io.Copy(w, Noise(3, n))
		w.Flush()
	},
	// orderly writes to a file when it is asked to end, and when it does.
	"orderly": func() {
		asked := make(chan os.Signal, 1)
		signal.Notify(asked, syscall.SIGTERM)
		file, err := os.OpenFile(os.Args[1], os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			panic(err)
		}
		fmt.Println("up")
		<-asked
		fmt.Fprintln(file, os.Args[2], "asked")
		fmt.Println("good-bye")
		fmt.Fprintln(file, os.Args[2], "gone")
	},
	// much writes noise to stdout.
	"much": func() {
		n, _ := strconv.ParseInt(os.Args[1], 10, 64)
		io.Copy(os.Stdout, Noise(3, n))
	},
}

// Noise is n bytes, the same for a seed each time, and no text.
func Noise(seed byte, n int64) io.Reader {
	return io.LimitReader(rand.NewChaCha8([32]byte{seed}), n)
}

type onlyWriter struct{ io.Writer }
