package mcpserver

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
)

// decode returns the message of a line, or the answer to a line that has none.
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
	if err := wrongMessage(outer); err != nil {
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

// wrongMessage says what in a message the SDK would take for something else: it rounds
// numbers and drops a null, so that an answer, a cancellation or a notification would be that
// of another call; and it quotes a method, however long.
func wrongMessage(message members) error {
	if id, given := message["id"]; given && !exactID(id) {
		return fmt.Errorf("id is %s; %s", shortened(string(id), 60), idsAre)
	}
	if method := message["method"]; len(method) > longestMethod {
		return fmt.Errorf("there is no method %s", shortened(string(method), 60))
	}
	params := membersOf(message["params"])
	if string(message["method"]) == strconv.Quote(cancelledMethod) {
		if id, given := params["requestId"]; given && !exactID(id) {
			return fmt.Errorf("requestId is %s; %s", shortened(string(id), 60), idsAre)
		}
	}
	if token, given := membersOf(params["_meta"])["progressToken"]; given && !exactID(token) {
		return fmt.Errorf("progressToken is %s; %s", shortened(string(token), 60), idsAre)
	}
	return nil
}

const idsAre = "it must be a string, or an integer from -2^53 to 2^53"

// longestMethod is more than any method has, in bytes.
const longestMethod = 200

// exactID reports whether an id is a string, or an integer that keeps its value
// in the SDK, which reads numbers as float64.
func exactID(id json.RawMessage) bool {
	if len(id) > 0 && id[0] == '"' {
		return true
	}
	n, err := strconv.ParseInt(string(id), 10, 64)
	return err == nil && -1<<53 <= n && n <= 1<<53
}

const (
	callMethod      = "tools/call"
	cancelledMethod = "notifications/cancelled"

	// cancelledCode is the code of the answer to a call that was cancelled, which the client
	// does not wait for (LSP's RequestCancelled; MCP has none).
	cancelledCode = -32800
)

// askedBy returns what a message asks for. Of a cancellation, id is that of the call.
func askedBy(message *jsonrpc.Request) asked {
	call := asked{id: idKey(message.ID.Raw())}
	var params struct {
		Name      string
		RequestID any `json:"requestId"`
		Arguments json.RawMessage
	}
	if json.Unmarshal(message.Params, &params) != nil {
		return call
	}
	switch message.Method {
	case cancelledMethod:
		call.id = idKey(params.RequestID)
	case callMethod:
		call.tool = params.Name
		var about struct {
			ProcessID string `json:"process_id"`
		}
		if json.Unmarshal(params.Arguments, &about) == nil {
			call.process = about.ProcessID
		}
	}
	return call
}

// idKey tells ids apart, "" if it is none.
func idKey(id any) string {
	switch id := id.(type) {
	case string:
		return "s" + id
	case int64:
		return "n" + strconv.FormatInt(id, 10)
	case float64:
		return "n" + strconv.FormatInt(int64(id), 10)
	}
	return ""
}

// bounded is err with a text that is not too long.
func bounded(err error) error {
	var wire *jsonrpc.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &wire) && len(wire.Message)+len(wire.Data) > longestError:
		return &jsonrpc.Error{Code: wire.Code, Message: elided(wire.Message)}
	case len(err.Error()) > longestError:
		return errors.New(elided(err.Error()))
	}
	return err
}

// coded returns an error of JSON-RPC with a code, which the SDK does not give to all.
func coded(err error) error {
	wire, is := err.(*jsonrpc.Error)
	if is && wire.Code != 0 {
		return bounded(err)
	}
	code := int64(jsonrpc.CodeInternalError)
	switch {
	case errors.As(err, &wire) && wire.Code != 0:
		code = wire.Code
	case errors.Is(err, context.Canceled):
		code = cancelledCode
	}
	return &jsonrpc.Error{Code: code, Message: elided(err.Error())}
}

// refusal returns an error of JSON-RPC. Its id is null if it is not known whose it
// is, as https://www.jsonrpc.org/specification#response_object wants it; the
// SDK's encoder would leave it out.
func refusal(id json.RawMessage, code int, message string) []byte {
	if !validID.Match(id) || !json.Valid(id) {
		id = json.RawMessage("null")
	}
	text, err := json.Marshal(map[string]any{
		"jsonrpc": "2.0", "id": id,
		"error": map[string]any{"code": code, "message": elided(message)},
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

// outerID returns the id of a message of which there are the two ends only, nil if it
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
