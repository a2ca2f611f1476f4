// Package osproc runs one operating system process and everything that it
// spawns: it starts the leader in a process group of its own, reads its output,
// writes its input, tells when it has exited, signals its tree, finds the
// descendants that left the group, and reaps.
//
// What the processes of one engine share is a [Host]. A [Process] tells what
// happens to it by calling the function given to Host.Start, from goroutines of
// this package; nothing here knows of actors.
//
// On Linux the leader stays a zombie from its exit until Process.Reap, so that
// neither its process ID nor its group ID can belong to a stranger while they
// are still used for signalling. Elsewhere it is reaped as soon as it exits.
package osproc
