package run

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestNameLines(t *testing.T) {
	for _, test := range []struct{ lines, given, want []string }{
		{[]string{"npm run api"}, nil, []string{"npm"}},
		{[]string{"npm run api", "npm run web", "npm t"}, nil, []string{"npm", "npm-2", "npm-3"}},
		{[]string{"npm-2 x", "npm a", "npm b"}, nil, []string{"npm-2", "npm", "npm-3"}},
		{[]string{"./api", "cd web && npm start"}, []string{"api", "web"}, []string{"api", "web"}},
		{[]string{"a", "web"}, []string{"web"}, []string{"web", "web-2"}},
		{[]string{"", "  "}, nil, []string{"sh", "sh-2"}},
	} {
		assert.Equal(t, test.want, nameLines(test.lines, test.given), "%q, %q", test.lines, test.given)
	}
}

func TestFirstWord(t *testing.T) {
	for line, want := range map[string]string{
		"make test":                "make",
		"/usr/bin/make test":       "make",
		"./server.sh":              "server.sh",
		"PORT=1 HOST=x ./server":   "server",
		"for i in 1 2; do x; done": "for",
		"(cd web; npm start)":      "cd",
		`"my program" x`:           "my",
		"exec>log":                 "execlog",
		"cat>x":                    "catx",
		"..":                       "sh",
		"X=1":                      "sh",
		"\x1b[31mred":              "31mred",
		"größe -v":                 "größe",
	} {
		assert.Equal(t, want, firstWord(line), "%q", line)
	}
}
