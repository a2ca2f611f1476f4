package actors

import (
	"fmt"
	"maps"
	"math"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/procession-go/procession/messages"
	"github.com/procession-go/procession/supervisor"
)

// validate says what is wrong with a spec, nil if nothing is. It looks at the spec
// only, not at the system.
func validate(s *messages.Spec) *messages.Error {
	check := checker{}
	check.that(s.Command != "", "Command is empty")
	check.noNUL(s.Command, "Command")
	for i, arg := range s.Args {
		check.noNUL(arg, "Args[%d]", i)
	}
	check.noNUL(s.Dir, "Dir")
	for _, name := range sortedNames(s.Env) {
		check.that(name != "", "Env has an empty name")
		check.that(!strings.Contains(name, "="), "Env name %q contains %q", name, "=")
		check.noNUL(name, "Env name")
		check.noNUL(s.Env[name], "Env %s", name)
	}
	check.that(s.OutputLimit >= messages.Unlimited, "OutputLimit %d is negative (Unlimited is -1)", s.OutputLimit)
	check.that(s.Overflow <= messages.Block, "Overflow %d is unknown", s.Overflow)
	check.notNegative("Timeout", s.Timeout)
	check.notNegative("Grace", s.Grace)
	check.that(s.StopSignal >= 0 && s.StopSignal <= 64, "StopSignal %d is no signal", s.StopSignal)
	check.restart(s.Restart)
	if s.Ready != nil {
		check.probe(*s.Ready)
	}
	if check.problem == "" {
		return nil
	}
	return &messages.Error{Code: messages.CodeInvalidSpec, Message: "invalid spec: " + check.problem}
}

func sortedNames(env map[string]string) []string {
	if len(env) == 0 {
		return nil
	}
	return slices.Sorted(maps.Keys(env))
}

// checker keeps the first problem that it finds.
type checker struct{ problem string }

func (c *checker) that(ok bool, otherwise string, args ...any) {
	if !ok && c.problem == "" {
		c.problem = fmt.Sprintf(otherwise, args...)
	}
}

func (c *checker) noNUL(value, field string, args ...any) {
	if strings.Contains(value, "\x00") {
		c.that(false, "%s contains a NUL byte: %q", fmt.Sprintf(field, args...), value)
	}
}

func (c *checker) notNegative(field string, d time.Duration) {
	if d < 0 {
		c.that(false, "%s %v is negative", field, d)
	}
}

func (c *checker) restart(p supervisor.Policy) {
	c.that(p.When <= supervisor.Always, "Restart.When %d is unknown", p.When)
	c.notNegative("Restart.Window", p.Window)
	c.notNegative("Restart.MinBackoff", p.MinBackoff)
	c.notNegative("Restart.MaxBackoff", p.MaxBackoff)
	c.that(p.MaxBackoff == 0 || p.MaxBackoff >= p.MinBackoff,
		"Restart.MaxBackoff %v is less than MinBackoff %v", p.MaxBackoff, p.MinBackoff)
}

func (c *checker) probe(p messages.Probe) {
	c.that(p.Pattern != "" || p.TCP != "" || p.HTTP != "" || len(p.Exec) > 0, "Ready has no condition")
	c.notNegative("Ready.Interval", p.Interval)
	c.notNegative("Ready.Timeout", p.Timeout)
	if _, err := regexp.Compile(p.Pattern); err != nil {
		c.that(false, "Ready.Pattern: %v", err)
	}
	if p.TCP != "" {
		_, port, err := net.SplitHostPort(p.TCP)
		c.that(err == nil, "Ready.TCP: %v", err)
		c.that(isPort(port), "Ready.TCP %q: there is no port %q", p.TCP, port)
	}
	if p.HTTP != "" {
		c.http(p.HTTP)
	}
	for i, arg := range p.Exec {
		c.noNUL(arg, "Ready.Exec[%d]", i)
		c.that(i > 0 || arg != "", "Ready.Exec[0] is empty")
	}
}

// http checks that target is a URL to which a GET can be sent.
func (c *checker) http(target string) {
	u, err := url.Parse(target)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		c.that(false, "Ready.HTTP %q is no URL with a scheme (http, https) and a host", target)
		return
	}
	c.that(u.Port() == "" || isPort(u.Port()), "Ready.HTTP %q: there is no port %q", target, u.Port())
}

// isPort reports whether port can be a port: a number, or the name of a service.
func isPort(port string) bool {
	n, err := strconv.Atoi(port)
	return port != "" && (err != nil || n > 0 && n < 1<<16)
}

// own returns a copy of a valid spec that shares nothing with the caller's. Each
// zero that stands for a default of the engine is replaced by that default.
func own(s messages.Spec, c *Config) messages.Spec {
	s = s.Clone()
	if s.OutputLimit == 0 {
		s.OutputLimit = c.OutputLimit
	}
	if s.Grace == 0 {
		s.Grace = c.Grace
	}
	s.Grace = min(s.Grace, math.MaxInt64/2) // so that adding it to a time cannot overflow
	if s.StopSignal == 0 {
		s.StopSignal = defaultStopSignal
	}
	return s
}
