package lines

// Fragment is the rest of a line whose beginning is not known: what comes of it up to the
// next newline, or until a carriage return begins the line anew, is no line.
type Fragment struct {
	// Open is whether its end has not come.
	Open bool

	returned bool // a carriage return has come, and nothing after it yet
}

// After is what data has after the fragment, all of it if that has ended.
func (f *Fragment) After(data []byte) []byte {
	for i := 0; f.Open && i < len(data); i++ {
		switch c := data[i]; {
		case c == '\n':
			*f = Fragment{}
			return data[i+1:]
		case c == '\r':
			f.returned = true
		case f.returned:
			*f = Fragment{}
			return data[i:]
		}
	}
	if f.Open {
		return nil
	}
	return data
}
