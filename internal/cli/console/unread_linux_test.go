package console

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestUnreadIsKnown(t *testing.T) {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer r.Close()
	defer w.Close()
	w.WriteString("text")
	require.EqualValues(t, 4, unread(w))
	r.Read(make([]byte, 3))
	require.EqualValues(t, 1, unread(w))
}
