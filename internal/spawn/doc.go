// Package spawn starts a program by a fork of its own.
//
// On Linux (amd64 and arm64) the child is made by clone3(2) and only makes the
// system calls of a script, in assembly, the last of which is execve(2). So a
// leader has everything that it needs before the first instruction of its program:
// its session, its mark, its limits, its parent-death signal, and no descriptor but
// 0, 1 and 2. An execve(2) may not return, because a file server is dead. Then it
// holds its own start and nothing else: neither the thread that forks nor a
// processor of the runtime waits for it. Elsewhere, and where the kernel refuses
// this way, [syscall.StartProcess] is used. It does not return until the program was
// executed, and keeps one of GOMAXPROCS meanwhile.
//
// The thread that forks is not the runtime's. It never ends, because the
// parent-death signal is tied to the thread that forked (prctl(2),
// golang/go#27505). Its descriptor table is its own, and empty but for a pidfd of
// this process, through which it takes the three files of a start
// (pidfd_getfd(2)) and drops them when it has forked. So a fork copies three
// descriptors, however many this program has open, and nothing that this program
// closes stays open.
package spawn
