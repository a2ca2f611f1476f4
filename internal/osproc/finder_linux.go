package osproc

import "golang.org/x/sys/unix"

// finder tells whose descendant a process is.
type finder struct {
	host     *Host
	table    *procTable
	self     int                // this program's process ID
	all      *target            // everything of the engine, if asked for
	byLeader map[int]*target    // by the ID of the group or session
	byID     map[string]*target // by the ID in the mark
	blind    bool               // something could not be looked at for want of descriptors
}

// find is the target that pid descends from, nil if none, and what is seen of it.
func (f *finder) find(pid int) (t *target, seen sight) {
	pgid, err := unix.Getpgid(pid)
	if err != nil {
		return nil, nothing
	}
	sid, _ := unix.Getsid(pid)
	seen = stranger
	for _, leader := range [...]int{pgid, sid} {
		if t := f.byLeader[leader]; t != nil {
			return t, ours
		}
		if f.host.isLeader(leader) {
			seen = ours
		}
	}
	engine, id, err := f.table.marks(pid)
	f.blind = f.blind || err != nil
	if engine == "" || engine != f.host.engine {
		return nil, seen
	}
	if t := f.byID[id]; t != nil {
		return t, ours
	}
	return f.all, ours
}

// inGroup reports whether pid is in the group of t's leader.
func (f *finder) inGroup(t *target, pid int) bool {
	pgid, err := unix.Getpgid(pid)
	return err == nil && t.process != nil && f.byLeader[pgid] == t
}

// hasExited reports whether the process is a zombie or gone: its pidfd is then
// readable (pidfd_open(2)).
func hasExited(pidfd int) bool {
	fds := []unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}
	n, err := unix.Poll(fds, 0)
	return err == nil && n > 0
}
