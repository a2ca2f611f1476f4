// Command procession runs processes: one, passed through untouched, or several
// side by side. Whatever it starts ends with it.
//
//	procession run -- make test
//	procession run 'npm run api' 'npm run web'
//	procession run -t -- vi notes.txt
package main

import (
	"os"

	"github.com/moby/sys/reexec"
	cmap "github.com/orcaman/concurrent-map"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/osproc"
)

func main() {
	if procession.Init() || reexec.Init() {
		return
	}
	cmap.SHARD_COUNT = 1 // of each of the 1,024 maps of an actor system, which are 4 ms to make with 32
	osproc.Adopt()       // so that not even what has lost its marks is lost; without, the marks remain
	os.Exit(execute(newConsole(), os.Args[1:]))
}
