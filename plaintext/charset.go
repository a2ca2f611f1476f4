package plaintext

// charset is which of a terminal's two character sets is in use, and which of
// them is "DEC special graphics" (ctlseqs, "VT100 Mode": ESC ( 0, ESC ) 0; SO and
// SI switch). Programs draw boxes with it where the locale is not UTF-8.
type charset struct {
	graphics [2]bool // of G0 and G1
	g1       bool    // SO was the last of SO and SI
}

func (c *charset) graphic() bool {
	if c.g1 {
		return c.graphics[1]
	}
	return c.graphics[0]
}

// From '_' to '~'; the first is a blank.
var decGraphics = [...]rune{
	' ', '◆', '▒', '␉', '␌', '␍', '␊', '°', '±', '␤', '␋', '┘', '┐', '┌', '└', '┼',
	'⎺', '⎻', '─', '⎼', '⎽', '├', '┤', '┴', '┬', '│', '≤', '≥', 'π', '≠', '£', '·',
}

func graphics(c byte) rune {
	if c < '_' || c > '~' {
		return rune(c)
	}
	return decGraphics[c-'_']
}
