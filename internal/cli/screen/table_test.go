package screen

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestTable(t *testing.T) {
	got := Table([]Column{Left("NAME"), Right("PID"), Left("EXIT")}, [][]string{
		{"größe", "7", "0"},
		{"a", "12345", "SIGKILL (killed)"},
	})
	want := []string{
		"NAME     PID  EXIT",
		"größe      7  0",
		"a      12345  SIGKILL (killed)",
	}
	assert.Equal(t, want, got)
}
