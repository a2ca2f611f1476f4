package flags

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	httppprof "net/http/pprof"
	"time"

	"github.com/spf13/pflag"

	"github.com/procession-go/procession/internal/cli/console"
)

// Pprof is the flag that serves profiles of this program while it runs.
type Pprof struct{ address string }

// Register adds the flag to a command.
func (p *Pprof) Register(flags *pflag.FlagSet) {
	flags.StringVar(&p.address, "pprof", "",
		"serve profiles of procession itself over HTTP on this `address` of this machine, localhost:6060 for instance")
}

// During runs f, and serves profiles meanwhile if the flag is there. It says where.
func (p *Pprof) During(c *console.Console, f func() error) error {
	if p.address == "" {
		return f()
	}
	listener, err := listenLoopback(p.address)
	if err != nil {
		return console.Usagef("--pprof: %w", err)
	}
	c.Say("profiles are at http://%s/debug/pprof/", listener.Addr())
	server := &http.Server{Handler: profiles(), ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	defer func() {
		server.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			c.Say("--pprof: %v", err)
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
