package mcpserver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
)

// decode is the message of a line, or the answer to a line that has none.
func decode(l line, max int) (jsonrpc.Message, []byte) {
	text := bytes.TrimSpace(l.text)
	switch {
	case l.tooLong:
		return nil, refusal(outerID(text), jsonrpc.CodeInvalidRequest,
			fmt.Sprintf("the message is longer than the %d bytes that this server takes", max))
	case !json.Valid(text):
		return nil, refusal(nil, jsonrpc.CodeParseError, "parse error: the line is not JSON")
	case text[0] == '[':
		return nil, refusal(nil, jsonrpc.CodeInvalidRequest, "batches are not supported: write one message a line")
	}
	message, err := jsonrpc.DecodeMessage(text)
	outer := membersOf(text)
	if err != nil {
		return nil, refusal(outer["id"], jsonrpc.CodeInvalidRequest, "not a JSON-RPC message: "+err.Error())
	}
	if err := wrongIDs(outer); err != nil {
		return nil, refusal(outer["id"], jsonrpc.CodeInvalidRequest, err.Error())
	}
	return message, nil
}

// members is a JSON object, nil if it is none. Names count as they are written,
// and of two members of one name the last.
type members map[string]json.RawMessage

func membersOf(object []byte) (m members) {
	if json.Unmarshal(object, &m) != nil {
		return nil
	}
	return m
}

// wrongIDs says which id in a message the SDK would take for another one: it
// rounds numbers and drops a null, so that the answer, or a cancellation, would be
// that of another call.
func wrongIDs(message members) error {
	if id, given := message["id"]; given && !exactID(id) {
		return fmt.Errorf("id is %s; %s", shortened(string(id), 60), idsAre)
	}
	if string(message["method"]) == `"notifications/cancelled"` {
		if id, given := membersOf(message["params"])["requestId"]; given && !exactID(id) {
			return fmt.Errorf("requestId is %s; %s", shortened(string(id), 60), idsAre)
		}
	}
	return nil
}

const idsAre = "it must be a string, or an integer from -2^53 to 2^53"

// exactID reports whether an id is a string, or an integer that keeps its value
// in the SDK, which reads numbers as float64.
func exactID(id json.RawMessage) bool {
	if len(id) > 0 && id[0] == '"' {
		return true
	}
	n, err := strconv.ParseInt(string(id), 10, 64)
	return err == nil && -1<<53 <= n && n <= 1<<53
}

// refusal is an error of JSON-RPC. Its id is null if it is not known whose it
// is, as https://www.jsonrpc.org/specification#response_object wants it; the
// SDK's encoder would leave it out.
func refusal(id json.RawMessage, code int, message string) []byte {
	if !validID.Match(id) || !json.Valid(id) {
		id = json.RawMessage("null")
	}
	text, err := json.Marshal(map[string]any{
		"jsonrpc": "2.0", "id": id,
		"error": map[string]any{"code": code, "message": message},
	})
	if err != nil {
		panic(err)
	}
	return text
}

var (
	validID = regexp.MustCompile(`^("(?:[^"\\]|\\.)*"|-?\d+)$`)
	// Where clients write the id: right at the beginning, or at the very end.
	firstID = regexp.MustCompile(`^\s*\{\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?"id"\s*:\s*("(?:[^"\\]|\\.)*"|-?\d+)\s*,`)
	lastID  = regexp.MustCompile(`,\s*"id"\s*:\s*("(?:[^"\\]|\\.)*"|-?\d+)\s*\}\s*$`)
)

// outerID is the id of a message of which there are the two ends only, nil if it
// is in neither.
func outerID(ends []byte) json.RawMessage {
	if m := firstID.FindSubmatch(ends); m != nil {
		return m[1]
	}
	if m := lastID.FindSubmatch(ends); m != nil {
		return m[1]
	}
	return nil
}
