// Package osproc runs one operating system process and everything that it spawns.
// It starts the leader in a process group of its own, reads its output, writes its
// input, reports its exit, signals its tree, finds the descendants that left the
// group, and reaps.
//
// A [Host] is what the processes of one engine share. A [Process] reports what
// happens to it by calling the function given to Host.Start, from goroutines of
// this package. Nothing here knows of actors.
//
// On Linux the leader stays a zombie from its exit until Process.Reap, so that
// neither its process ID nor its group ID can belong to a stranger while they
// are still used for signalling. Elsewhere it is reaped as soon as it exits.
package osproc
