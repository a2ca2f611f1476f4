package osproc

import (
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// poller waits for the descriptors of all processes of a host, so that an idle
// process costs neither a thread nor a goroutine: they are in an epoll instance
// of its own (epoll(7)), for which one goroutine waits through the runtime's
// poller.
type poller struct {
	file  *os.File    // the epoll instance
	spare [burst]byte // for what its goroutine reads and nobody wants

	mu         sync.Mutex
	epoll      int            // the same, -1 once it is closed
	registered []registration // by descriptor
}

type registration struct {
	handler handler
	serial  int32 // tells events of an earlier descriptor of the same number
}

// handler is told that its descriptor is, or has become, readable. It must not
// wait.
type handler interface{ readable() }

func newPoller() (*poller, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	unix.SetNonblock(fd, true) // so that os takes it for one that can be waited for
	p := &poller{file: os.NewFile(uintptr(fd), "epoll"), epoll: fd}
	go p.run()
	return p, nil
}

func (p *poller) run() {
	raw, err := p.file.SyscallConn()
	var events [128]unix.EpollEvent
	n := 0
	wait := func(fd uintptr) bool {
		n, err = epollPrompt(int(fd), events[:])
		return n != 0 || err != nil
	}
	for err == nil {
		if raw.Read(wait) != nil {
			return
		}
		for _, event := range events[:n] {
			if h := p.handler(event); h != nil {
				h.readable()
			}
		}
	}
}

func (p *poller) handler(event unix.EpollEvent) handler {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w := p.registered[event.Fd]; w.serial == event.Pad {
		return w.handler
	}
	return nil
}

// add tells h when fd is readable, and again each time that there is more.
func (p *poller) add(fd int, h handler) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.registered) <= fd {
		p.registered = append(p.registered, registration{})
	}
	w := &p.registered[fd]
	w.handler = h
	w.serial++
	err := unix.EpollCtl(p.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLET, Fd: int32(fd), Pad: w.serial})
	if err != nil {
		w.handler = nil
	}
	return err
}

// again tells what add told, if there is something to be read.
func (p *poller) again(fd int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if fd >= 0 && fd < len(p.registered) && p.registered[fd].handler != nil {
		unix.EpollCtl(p.epoll, unix.EPOLL_CTL_MOD, fd, &unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLET, Fd: int32(fd), Pad: p.registered[fd].serial})
	}
}

// remove forgets fd, if it was added; it stays open.
func (p *poller) remove(fd int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.forget(fd) {
		unix.EpollCtl(p.epoll, unix.EPOLL_CTL_DEL, fd, nil)
	}
}

// drop forgets fd, if it was added. It is going to be closed, which takes it out
// of the epoll instance too (epoll(7), question 6).
func (p *poller) drop(fd int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forget(fd)
}

func (p *poller) forget(fd int) (known bool) {
	if fd < 0 || fd >= len(p.registered) || p.registered[fd].handler == nil {
		return false
	}
	p.registered[fd].handler = nil
	return true
}

func (p *poller) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.epoll = -1
	p.file.Close()
}
