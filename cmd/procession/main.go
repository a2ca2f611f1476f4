// Command procession runs processes: one, passed through untouched, or several
// side by side. Whatever it starts ends with it.
//
//	procession run -- make test
//	procession run 'npm run api' 'npm run web'
//	procession run -t -- vi notes.txt
package main

import "github.com/procession-go/procession/internal/cli"

func main() { cli.Main() }
