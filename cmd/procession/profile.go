package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	httppprof "net/http/pprof"
	"os"
	"runtime/pprof"
	"time"

	"github.com/spf13/pflag"
)

// profileFlags are the flags that write profiles of this program itself.
type profileFlags struct{ cpu, memory string }

func (p *profileFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&p.cpu, "cpuprofile", "",
		"write to this `file` where procession itself spends CPU time, for go tool pprof")
	flags.StringVar(&p.memory, "memprofile", "",
		"write to this `file` what procession itself allocates, for go tool pprof")
}

// during runs f and writes the profiles when it has returned. That one could not
// be written is said, but an error of f goes first.
func (p *profileFlags) during(c *console, f func() error) error {
	finish, err := p.start()
	if err != nil {
		return err
	}
	err = f()
	switch failed := finish(); {
	case failed == nil:
		return err
	case err == nil:
		return failed
	default:
		c.say("%v", failed)
		return err
	}
}

// start opens the files, so that one that cannot be written is known before
// anything runs.
func (p *profileFlags) start() (finish func() error, err error) {
	cpu, err := createProfile("--cpuprofile", p.cpu)
	if err != nil {
		return nil, err
	}
	memory, err := createProfile("--memprofile", p.memory)
	if err != nil {
		cpu.Close()
		return nil, err
	}
	if cpu != nil {
		if err := pprof.StartCPUProfile(cpu); err != nil {
			return nil, errors.Join(fmt.Errorf("--cpuprofile: %w", err), cpu.Close(), memory.Close())
		}
	}
	return func() error {
		var failed []error
		if cpu != nil {
			pprof.StopCPUProfile()
			if err := cpu.Close(); err != nil {
				failed = append(failed, fmt.Errorf("--cpuprofile: %w", err))
			}
		}
		if memory != nil {
			if err := errors.Join(pprof.Lookup("allocs").WriteTo(memory, 0), memory.Close()); err != nil {
				failed = append(failed, fmt.Errorf("--memprofile: %w", err))
			}
		}
		return errors.Join(failed...)
	}, nil
}

// createProfile is nil if there is no path.
func createProfile(flag, path string) (*os.File, error) {
	if path == "" {
		return nil, nil
	}
	file, err := os.Create(path)
	if err != nil {
		return nil, usagef("%s: %w", flag, err)
	}
	return file, nil
}

// pprofFlag is the flag that serves profiles of this program while it runs.
type pprofFlag struct{ address string }

func (p *pprofFlag) register(flags *pflag.FlagSet) {
	flags.StringVar(&p.address, "pprof", "",
		"serve profiles of procession itself over HTTP on this `address` of this machine, localhost:6060 for instance")
}

// during serves while f runs, if that is asked for, and says where.
func (p *pprofFlag) during(c *console, f func() error) error {
	if p.address == "" {
		return f()
	}
	listener, err := listenLoopback(p.address)
	if err != nil {
		return usagef("--pprof: %w", err)
	}
	c.say("profiles are at http://%s/debug/pprof/", listener.Addr())
	server := &http.Server{Handler: profiles(), ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	defer func() {
		server.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			c.say("--pprof: %v", err)
		}
	}()
	return f()
}

// listenLoopback listens where only this machine can reach it: a profile tells
// what the command line is, and taking one costs CPU time.
func listenLoopback(address string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	resolved, err := net.ResolveTCPAddr("tcp", address)
	switch {
	case err != nil:
		return nil, err
	case host == "" || !resolved.IP.IsLoopback():
		return nil, fmt.Errorf("%s can be reached from other machines; use a loopback address, such as localhost:6060", address)
	}
	return net.ListenTCP("tcp", resolved)
}

// profiles answers what net/http/pprof has, and nothing else. A request by
// another name than this machine's comes from a web page that has had its name
// resolved to a loopback address.
func profiles() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", httppprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", httppprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", httppprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", httppprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", httppprof.Trace)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		if host != "localhost" && !net.ParseIP(host).IsLoopback() {
			http.Error(w, "only by a loopback address", http.StatusForbidden)
			return
		}
		mux.ServeHTTP(w, r)
	})
}
