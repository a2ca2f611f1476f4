package actors

import (
	"fmt"
	"maps"
	"math"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/procession-go/procession/messages"
	"github.com/procession-go/procession/supervisor"
)

// validate says what is wrong with a spec, nil if nothing is. It looks at the
// spec alone, not at the system.
func validate(s *messages.Spec) *messages.Error {
	check := checker{}
	check.that(s.Command != "", "Command is empty")
	check.noNUL("Command", s.Command)
	for i, arg := range s.Args {
		check.noNUL(fmt.Sprintf("Args[%d]", i), arg)
	}
	check.noNUL("Dir", s.Dir)
	for _, name := range slices.Sorted(maps.Keys(s.Env)) {
		check.that(name != "", "Env has an empty name")
		check.that(!strings.Contains(name, "="), fmt.Sprintf("Env name %q contains %q", name, "="))
		check.noNUL("Env name", name)
		check.noNUL("Env "+name, s.Env[name])
	}
	check.that(s.OutputLimit >= messages.Unlimited, fmt.Sprintf("OutputLimit %d is negative (Unlimited is -1)", s.OutputLimit))
	check.notNegative("Timeout", s.Timeout)
	check.notNegative("Grace", s.Grace)
	check.that(s.StopSignal >= 0 && s.StopSignal <= 64, fmt.Sprintf("StopSignal %d is no signal", int(s.StopSignal)))
	check.restart(s.Restart)
	if s.Ready != nil {
		check.probe(*s.Ready)
	}
	if check.problem == "" {
		return nil
	}
	return &messages.Error{Code: messages.CodeInvalidSpec, Message: "invalid spec: " + check.problem}
}

// checker keeps the first problem that it meets.
type checker struct{ problem string }

func (c *checker) that(ok bool, otherwise string) {
	if !ok && c.problem == "" {
		c.problem = otherwise
	}
}

func (c *checker) noNUL(field, value string) {
	c.that(!strings.Contains(value, "\x00"), fmt.Sprintf("%s contains a NUL byte: %q", field, value))
}

func (c *checker) notNegative(field string, d time.Duration) {
	c.that(d >= 0, fmt.Sprintf("%s %v is negative", field, d))
}

func (c *checker) restart(p supervisor.Policy) {
	c.that(p.When <= supervisor.Always, fmt.Sprintf("Restart.When %d is unknown", p.When))
	c.notNegative("Restart.Window", p.Window)
	c.notNegative("Restart.MinBackoff", p.MinBackoff)
	c.notNegative("Restart.MaxBackoff", p.MaxBackoff)
	c.that(p.MaxBackoff == 0 || p.MaxBackoff >= p.MinBackoff,
		fmt.Sprintf("Restart.MaxBackoff %v is less than MinBackoff %v", p.MaxBackoff, p.MinBackoff))
}

func (c *checker) probe(p messages.Probe) {
	c.that(p.Pattern != "" || p.TCP != "" || p.HTTP != "" || len(p.Exec) > 0, "Ready has no condition")
	c.notNegative("Ready.Interval", p.Interval)
	c.notNegative("Ready.Timeout", p.Timeout)
	if _, err := regexp.Compile(p.Pattern); err != nil {
		c.that(false, "Ready.Pattern: "+err.Error())
	}
	if p.TCP != "" {
		if _, _, err := net.SplitHostPort(p.TCP); err != nil {
			c.that(false, "Ready.TCP: "+err.Error())
		}
	}
	if p.HTTP != "" {
		u, err := url.Parse(p.HTTP)
		c.that(err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "",
			fmt.Sprintf("Ready.HTTP %q is not an http URL", p.HTTP))
	}
	for i, arg := range p.Exec {
		c.noNUL(fmt.Sprintf("Ready.Exec[%d]", i), arg)
		c.that(i > 0 || arg != "", "Ready.Exec[0] is empty")
	}
}

// own is a copy of a valid spec that shares nothing with the caller's, with
// every zero that stands for a default of the engine replaced by it.
func own(s messages.Spec, c *Config) messages.Spec {
	s.Args = slices.Clone(s.Args)
	s.Env = maps.Clone(s.Env)
	s.Labels = maps.Clone(s.Labels)
	if s.PTY != nil {
		size := *s.PTY
		s.PTY = &size
	}
	if s.Ready != nil {
		probe := *s.Ready
		probe.Exec = slices.Clone(probe.Exec)
		s.Ready = &probe
	}
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
