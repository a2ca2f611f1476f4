// Package cli is the command line: it puts the commands together. Each family of commands
// has a package of its own, and what several of them need is in packages beside these.
package cli

import (
	"os"

	"github.com/moby/sys/reexec"
	cmap "github.com/orcaman/concurrent-map"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/cli/console"
	"github.com/procession-go/procession/internal/osproc"
)

// Main is the main function of the command line, and of test binaries that run as it. It
// returns only if this process is not the command line, but something that a command line
// has started to watch over it.
func Main() {
	if procession.Init() || reexec.Init() {
		return
	}
	cmap.SHARD_COUNT = 1 // of each of the 1,024 maps of an actor system, which are 4 ms to make with 32
	osproc.Adopt()       // so that not even what has lost its marks is lost; without, the marks remain
	os.Exit(execute(console.New(), os.Args[1:]))
}
