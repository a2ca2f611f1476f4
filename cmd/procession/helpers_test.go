package main

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
		out, errs := noise(1, n), noise(2, n)
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
		io.Copy(w, noise(3, n))
		w.Flush()
	},
}

// noise is n bytes, the same for a seed each time, and no text.
func noise(seed byte, n int64) io.Reader {
	return io.LimitReader(rand.NewChaCha8([32]byte{seed}), n)
}

type onlyWriter struct{ io.Writer }
