package mcpserver

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// Path is where the server is, below the address that it listens on.
const Path = "/mcp"

// ErrNoToken is the error of a listener that must not be served without a token.
var ErrNoToken = errors.New("can be reached from other machines")

// HTTPOptions say who may speak to a server over HTTP.
type HTTPOptions struct {
	// Token, if not "", must come with every request (Authorization: Bearer).
	Token string
	// Hosts are the names, besides localhost, by which clients may address the
	// server. IP addresses are always allowed: a client that uses a number was not
	// led here by a forged name.
	Hosts []string
	// Loopback refuses a Host that does not name this machine itself.
	Loopback bool
}

// Handler serves clients over streamable HTTP. It refuses with 403 what a
// browser sends from a page of another origin, or to a name that is not the
// server's (DNS rebinding), and with 401 what has not the token.
func (s *Server) Handler(o HTTPOptions) http.Handler {
	sdk := mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return s.mcp }, &mcp.StreamableHTTPOptions{
		MaxRequestBodyBytes:        int64(s.options.MaxMessage),
		DisableLocalhostProtection: true, // it knows no names; guard does
		Logger:                     slog.New(atLeast{slog.LevelError, s.options.Logger.Handler()}),
	})
	mux := http.NewServeMux()
	endpoint := s.received(s.tracked(sdk))
	mux.Handle(Path, endpoint)
	mux.Handle("/{$}", endpoint)
	return patient(o.guard(mux))
}

// Serve serves clients over streamable HTTP until ctx ends; then it closes the
// server and returns when nothing is left of what clients have started. Without
// a token it refuses a listener that other machines can reach (ErrNoToken).
func (s *Server) Serve(ctx context.Context, l net.Listener, o HTTPOptions) error {
	address, ok := l.Addr().(*net.TCPAddr)
	o.Loopback = ok && address.IP.IsLoopback()
	if !o.Loopback && o.Token == "" {
		l.Close()
		return fmt.Errorf("%v %w: give a token, or listen on 127.0.0.1", l.Addr(), ErrNoToken)
	}
	server := &http.Server{
		Handler:           s.Handler(o),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			if tcp, ok := c.(*net.TCPConn); ok { // so that it is seen soon that something was taken
				tcp.SetWriteBuffer(bufferBytes)
			}
			return ctx
		},
		ErrorLog: slog.NewLogLogger(s.options.Logger.Handler(), slog.LevelDebug),
	}
	s.options.Logger.Info("listening", "url", "http://"+l.Addr().String()+Path)
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	s.Close()
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), linger)
	defer cancel()
	if server.Shutdown(patience) != nil {
		server.Close() // streams that hang are cut
	}
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return err
}

// tracked tells sessions of their requests. A session is ended here before the
// SDK closes its connection, because the SDK waits for calls that are under way,
// and those for something to happen.
func (s *Server) tracked(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session := s.sessionByID(r.Header.Get("Mcp-Session-Id"))
		switch {
		case session == nil: // it begins one, or the SDK knows none either
		case r.Method == http.MethodDelete:
			session.end()
		case r.Method == http.MethodPost:
			w := w.(*patientWriter)
			if !session.enter(w) {
				noSession(w)
				return
			}
			defer session.leave(w)
		}
		next.ServeHTTP(w, r)
		if w := w.(*patientWriter); r.Method == http.MethodPost && !w.written && r.Context().Err() == nil && w.arrival.answer() == nil {
			noSession(w) // it has ended meanwhile; the SDK says nothing then
		}
	})
}

// noSession answers what is asked of a session that has ended, as the SDK does.
func noSession(w http.ResponseWriter) {
	http.Error(w, "session not found", http.StatusNotFound)
}

func (o HTTPOptions) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !o.hostAllowed(r.Host):
			http.Error(w, fmt.Sprintf("the Host header %q is none of this server's names", shortened(r.Host, 100)), http.StatusForbidden)
		case !originAllowed(r.Header.Values("Origin"), r.Host):
			http.Error(w, fmt.Sprintf("requests of the origin %q are not taken", shortened(r.Header.Get("Origin"), 100)), http.StatusForbidden)
		case !tokenMatches(r.Header.Get("Authorization"), o.Token):
			w.Header().Set("WWW-Authenticate", `Bearer realm="procession"`)
			http.Error(w, "a bearer token is needed, and the right one", http.StatusUnauthorized)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// hostAllowed reports whether a Host header names this server. A page that was
// rebound to its address still sends the name of the page.
func (o HTTPOptions) hostAllowed(header string) bool {
	host := strings.ToLower(hostOf(header))
	if host == "localhost" || slices.ContainsFunc(o.Hosts, func(name string) bool { return strings.EqualFold(name, host) }) {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && (!o.Loopback || ip.Unmap().IsLoopback())
}

// hostOf returns a host without its port and brackets.
func hostOf(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	return strings.TrimSuffix(strings.TrimPrefix(hostport, "["), "]")
}

// originAllowed reports whether a request has no Origin, as those have that no
// browser sends, or that of the server itself.
func originAllowed(origins []string, host string) bool {
	for _, origin := range origins {
		u, err := url.Parse(origin)
		if err != nil || u.Host == "" || !strings.EqualFold(u.Host, host) {
			return false
		}
	}
	return true
}

// tokenMatches compares digests, so that the time it takes tells nothing of the
// token, its length included.
func tokenMatches(authorization, token string) bool {
	if token == "" {
		return true
	}
	scheme, given, _ := strings.Cut(authorization, " ")
	a, b := sha256.Sum256([]byte(strings.TrimSpace(given))), sha256.Sum256([]byte(token))
	return strings.EqualFold(scheme, "Bearer") && subtle.ConstantTimeCompare(a[:], b[:]) == 1
}
