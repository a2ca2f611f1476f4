package ending

import (
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var (
	begun = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	// at is when the stop of these tests began: in tick 100, when 5000 was the process ID
	// given out last.
	at = Moment{Tick: 100, Last: 5000, PIDMax: 32768}
)

const grace = 10 * time.Second

// stopping is a ledger whose stop has just begun.
func stopping(t *testing.T) *Ledger {
	t.Helper()
	l := &Ledger{At: at}
	require.Equal(t, syscall.SIGTERM, l.Ask(Stop{syscall.SIGTERM, begun.Add(grace)}, begun))
	return l
}

var (
	term   = []syscall.Signal{syscall.SIGTERM}
	hangUp = []syscall.Signal{syscall.SIGHUP}
	kill   = []syscall.Signal{syscall.SIGKILL}
)

const leader = 4000

// old and young were forked before and after the stop began, and are children of the
// leader.
func old(pid int) Member { return Member{Being: Being{pid, 50}, Parent: leader} }

func young(pid int) Member { return Member{Being: Being{pid, 150}, Parent: leader} }

func (m Member) grouped() Member   { m.Grouped = true; return m }
func (m Member) of(pid int) Member { m.Parent = pid; return m }
func (m Member) orphan() Member    { return m.of(1) }
func (m Member) newborn() Member   { m.Newborn = true; return m }
func (m Member) executed() Member  { m.Executed = true; return m }
func (m Member) mortal() Member    { m.Mortal = true; return m }
func (m Member) deaf() Member      { m.Deaf = true; return m }

// What a leader that had the signal alone has begun since is its own as long as it lives.
func TestWhatALeaderHasBegunBeforeTheStopBecameWider(t *testing.T) {
	alone := Moment{Tick: 90, Last: 4990, PIDMax: 32768}
	between := func(pid int) Member { return Member{Being: Being{pid, 95}, Parent: leader} }
	for name, test := range map[string]struct {
		m    Member
		gets []syscall.Signal
	}{
		"begun since, by the leader":             {m: between(4995)},
		"begun since, in the same tick":          {m: Member{Being: Being{4995, 90}, Parent: leader}},
		"begun since, by what it had begun":      {m: between(4996).of(4995)},
		"begun since, by one that was there":     {m: between(4996).of(4001), gets: term},
		"begun since, an orphan":                 {m: between(4996).orphan(), gets: term},
		"there before":                           {m: old(4002), gets: term},
		"there before, in the same tick":         {m: Member{Being: Being{4989, 90}, Parent: leader}, gets: term},
		"begun after the stop became wider":      {m: young(5001)},
		"begun after that, and an orphan by now": {m: young(5001).orphan(), gets: term},
	} {
		t.Run(name, func(t *testing.T) {
			l := stopping(t)
			l.Alone = &alone
			l.Note(Being{PID: leader}, false)
			tree := Snapshot{Leaders: []int{leader}, Members: []Member{old(4001), between(4995), test.m}}
			dues, _ := l.Decide(tree, begun)
			var gets []syscall.Signal
			for _, due := range dues {
				if due.PID == test.m.PID {
					gets = due.Signals
				}
			}
			require.Equal(t, test.gets, gets)

			l.Pass(begun.Add(grace))
			dues, _ = l.Decide(Snapshot{Leaders: []int{leader}, Members: []Member{test.m}}, begun.Add(grace))
			require.Equal(t, []Due{{test.m.PID, kill}}, dues)
		})
	}
	l := stopping(t)
	l.Alone = &alone
	dues, _ := l.Decide(Snapshot{Members: []Member{between(4995).orphan()}}, begun)
	require.Equal(t, []Due{{4995, term}}, dues, "its leader has exited")
}

// The table of docs/architecture.md, "Who gets which signal".
func TestWhoGetsWhichSignal(t *testing.T) {
	for name, test := range map[string]struct {
		m    Member
		gets []syscall.Signal
		soon bool
	}{
		"there, in the group":                       {m: old(4001).grouped()},
		"there, outside the group":                  {m: old(4001), gets: term},
		"there, outside the group, an orphan":       {m: old(4001).orphan(), gets: term},
		"there, in the group, an orphan":            {m: old(4001).grouped().orphan()},
		"there, outside, a newborn":                 {m: old(4001).newborn(), soon: true},
		"born later, its parent lives":              {m: young(6000)},
		"born later in the group, its parent lives": {m: young(6000).grouped()},
		"born later, an orphan":                     {m: young(6000).orphan(), gets: term},
		"born later in the group, an orphan":        {m: young(6000).grouped().orphan(), gets: term},
		"born later, an orphan, and a newborn":      {m: young(6000).orphan().newborn(), soon: true},
		"born later, of a stranger":                 {m: young(6000).of(7000), gets: term},
	} {
		t.Run(name, func(t *testing.T) {
			l := stopping(t)
			dues, soon := l.Decide(Snapshot{Members: []Member{test.m}, Leaders: []int{leader}}, begun)
			require.Equal(t, test.soon, soon)
			if test.gets == nil {
				require.Empty(t, dues)
			} else {
				require.Equal(t, []Due{{test.m.PID, test.gets}}, dues)
			}
			again, _ := l.Decide(Snapshot{Members: []Member{test.m}, Leaders: []int{leader}}, begun.Add(time.Second))
			if test.gets != nil {
				require.Empty(t, again, "not twice")
			}
			require.Equal(t, syscall.SIGKILL, l.Pass(begun.Add(grace)))
			dues, _ = l.Decide(Snapshot{Members: []Member{test.m}}, begun.Add(grace))
			require.Equal(t, []Due{{test.m.PID, kill}}, dues, "at the deadline")
			dues, _ = l.Decide(Snapshot{Members: []Member{test.m}}, begun.Add(grace))
			require.Empty(t, dues, "SIGKILL once")
		})
	}
}

// What the member that is looked at becomes between two looks.
func TestWhoGetsItLater(t *testing.T) {
	for name, test := range map[string]struct {
		then, now Member
		gets      []syscall.Signal
	}{
		"its parent ends":                        {young(6000), young(6000).orphan(), term},
		"it had it, and leaves the group":        {old(4001).grouped(), old(4001), nil},
		"it had it, and its parent ends":         {old(4001).grouped(), old(4001).grouped().orphan(), nil},
		"a newborn executes a program":           {old(4001).newborn(), old(4001).executed(), term},
		"a newborn orphan grows old":             {young(6000).orphan().newborn(), young(6000).orphan(), term},
		"its number is another's":                {old(4001).grouped(), Member{Being: Being{4001, 160}, Parent: 1, Grouped: true}, term},
		"its number is another's, with a parent": {old(4001).grouped(), Member{Being: Being{4001, 160}, Parent: leader}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			l := stopping(t)
			dues, _ := l.Decide(Snapshot{Members: []Member{test.then}, Leaders: []int{leader}}, begun)
			require.Empty(t, dues)
			dues, _ = l.Decide(Snapshot{Members: []Member{test.now}, Leaders: []int{leader}}, begun)
			if test.gets == nil {
				require.Empty(t, dues)
			} else {
				require.Equal(t, []Due{{test.now.PID, test.gets}}, dues)
			}
		})
	}
}

// A number that is free again within a tick is not taken for the one that had it.
func TestANumberThatIsUsedAgainAtOnce(t *testing.T) {
	l := stopping(t)
	m := Member{Being: Being{4999, at.Tick}, Parent: leader, Grouped: true}
	dues, _ := l.Decide(Snapshot{Members: []Member{m}, Leaders: []int{leader}}, begun)
	require.Empty(t, dues)
	l.Forget(m.Being)
	dues, _ = l.Decide(Snapshot{Members: []Member{m}, Leaders: []int{leader}}, begun)
	require.Empty(t, dues, "its parent sees to it")
	dues, _ = l.Decide(Snapshot{Members: []Member{m.orphan()}}, begun)
	require.Equal(t, []Due{{4999, term}}, dues)
}

// A shell's child that hears the signal before it executes a program forgets it. The
// program gets it when nobody else can tell it.
func TestANewbornOfTheGroup(t *testing.T) {
	l := stopping(t)
	l.Note(old(4001).Being, true)
	require.False(t, l.Settles(old(4001).Being))
	for _, m := range []Member{old(4001).grouped(), old(4001).grouped().executed(), old(4001).grouped().orphan()} {
		dues, _ := l.Decide(Snapshot{Members: []Member{m}, Leaders: []int{leader}}, begun)
		require.Empty(t, dues, "%+v", m)
	}
	m := old(4001).grouped().executed().orphan()
	dues, _ := l.Decide(Snapshot{Members: []Member{m}}, begun)
	require.Equal(t, []Due{{4001, term}}, dues)
	dues, _ = l.Decide(Snapshot{Members: []Member{m}}, begun)
	require.Empty(t, dues, "once")
	require.True(t, l.Settles(m.Being))
}

func TestWhenAMemberWasForked(t *testing.T) {
	meanwhile := at
	meanwhile.After = 5002
	unseen := at
	unseen.Unseen = []int{4998}
	for name, test := range map[string]struct {
		at   Moment
		b    Being
		want age
	}{
		"a tick before":                     {at, Being{9000, 99}, older},
		"a tick after":                      {at, Being{100, 101}, younger},
		"in the same, with a lower number":  {at, Being{4999, 100}, older},
		"in the same, with the last number": {at, Being{5000, 100}, older},
		"in the same, with the next":        {at, Being{5001, 100}, younger},
		"in the same, after a wrap":         {Moment{Tick: 100, Last: 32767, PIDMax: 32768}, Being{3, 100}, younger},
		"in the same, before a wrap":        {Moment{Tick: 100, Last: 3, PIDMax: 32768}, Being{32767, 100}, older},
		"while it was sent":                 {meanwhile, Being{5002, 100}, between},
		"while it was sent, a tick after":   {meanwhile, Being{5001, 101}, between},
		"right after it was sent":           {meanwhile, Being{5003, 100}, younger},
		"before it was sent":                {meanwhile, Being{5000, 100}, older},
		"with such a number, long before":   {meanwhile, Being{5001, 99}, older},
		"while it was sent, in a wrap":      {Moment{Tick: 100, Last: 32766, After: 2, PIDMax: 32768}, Being{1, 100}, between},
		"after that":                        {Moment{Tick: 100, Last: 32766, After: 2, PIDMax: 32768}, Being{3, 100}, younger},
		"unseen right before it was sent":   {unseen, Being{4998, 100}, between},
		"unseen, shortly after":             {unseen, Being{4998, 102}, between},
		"unseen, its number used again":     {unseen, Being{4998, 1000}, younger},
		"in the same, numbers unknown":      {Moment{Tick: 100}, Being{4999, 100}, unknown},
	} {
		require.Equal(t, test.want, test.at.ageOf(test.b), name)
	}
}

// One that was noted, and has ended before it was seen, does not stand for who has its
// number next.
func TestWhoWasOnlyNotedIsForgotten(t *testing.T) {
	l := stopping(t)
	noted := old(at.Last - 1)
	noted.Began = at.Tick
	l.Note(noted.Being, false)
	l.Keep(func(Being) bool { return false })
	require.False(t, l.Knows(noted.Being))
	again := noted.orphan()
	dues, _ := l.Decide(Snapshot{Leaders: []int{leader}, Members: []Member{again}}, begun)
	require.Equal(t, []Due{{again.PID, term}}, dues)
}

// Who leaves the group in the very moment of the signal has not had it if it would be dead.
func TestWhoLeavesTheGroupMeanwhile(t *testing.T) {
	l := stopping(t)
	mortal, handles := old(1), old(2)
	mortal.Mortal = true
	l.Doubt(mortal.Being)
	l.Doubt(handles.Being)
	require.True(t, l.Doubts(mortal.Being))
	require.False(t, l.Settles(mortal.Being))
	seen := Snapshot{Leaders: []int{leader}, Members: []Member{mortal, handles}}
	dues, _ := l.Decide(seen, begun)
	require.Equal(t, []Due{{1, term}}, dues)
	dues, _ = l.Decide(seen, begun)
	require.Empty(t, dues, "once")
	require.False(t, l.Doubts(mortal.Being))
	require.False(t, l.Doubts(handles.Being))
}

// Whose fork was under way when the signal was sent is left to its parent, and as an orphan
// taken to have had it, but if it has executed a program since, or would have died of it.
func TestAForkThatWasUnderWay(t *testing.T) {
	for name, test := range map[string]struct {
		m    func(Member) Member
		want []syscall.Signal
	}{
		"its parent lives":               {func(m Member) Member { return m }, nil},
		"its parent lives, in a group":   {Member.grouped, nil},
		"an orphan":                      {Member.orphan, nil},
		"an orphan in a group":           {func(m Member) Member { return m.orphan().grouped() }, nil},
		"an orphan that has executed":    {func(m Member) Member { return m.orphan().executed() }, term},
		"an orphan that would have died": {func(m Member) Member { return m.orphan().mortal() }, term},
		"an orphan, a newborn":           {func(m Member) Member { return m.orphan().newborn() }, nil},
		"one in a group, which has, too": {func(m Member) Member { return m.orphan().grouped().executed() }, term},
	} {
		l := stopping(t)
		l.At.After = at.Last + 3
		m := test.m(old(at.Last + 2))
		m.Began = at.Tick
		dues, _ := l.Decide(Snapshot{Leaders: []int{leader}, Members: []Member{m}}, begun)
		if test.want == nil {
			require.Empty(t, dues, name)
		} else {
			require.Equal(t, []Due{{m.PID, test.want}}, dues, name)
		}
		if m.Newborn {
			m.Newborn = false
			dues, _ = l.Decide(Snapshot{Leaders: []int{leader}, Members: []Member{m.executed()}}, begun)
			require.NotEmpty(t, dues, "it is not a newborn any more")
		}
	}
}

// Who may have had it is taken to have had it, if nobody else can tell.
func TestWhoMayHaveHadIt(t *testing.T) {
	l := stopping(t)
	l.At = Moment{Tick: 100}
	for _, m := range []Member{{Being: Being{1, 100}, Grouped: true}, {Being: Being{2, 100}, Parent: leader}, {Being: Being{3, 100}}} {
		dues, _ := l.Decide(Snapshot{Members: []Member{m}, Leaders: []int{leader}}, begun)
		require.Empty(t, dues, "%+v", m)
	}
	dues, _ := l.Decide(Snapshot{Members: []Member{{Being: Being{2, 100}, Parent: 1}}}, begun)
	require.Empty(t, dues)
}

// Of a look that could not see everything it is not known who has no parent.
func TestAnIncompleteLookMakesNoOrphans(t *testing.T) {
	l := stopping(t)
	dues, _ := l.Decide(Snapshot{Members: []Member{young(6000).orphan(), old(4001)}, Incomplete: true}, begun)
	require.Equal(t, []Due{{4001, term}}, dues)
}

func TestParentsHearItFirst(t *testing.T) {
	l := stopping(t)
	dues, _ := l.Decide(Snapshot{Members: []Member{old(7).of(8), old(6), old(8).of(9), old(9)}, Leaders: []int{leader}}, begun)
	var order []int
	for _, due := range dues {
		order = append(order, due.PID)
	}
	require.Equal(t, []int{6, 9, 8, 7}, order)
}

func TestATerminalIsHungUp(t *testing.T) {
	l := stopping(t)
	seen := Snapshot{Leaders: []int{leader}, Terminal: true, Members: []Member{old(1).grouped(), old(2).grouped().deaf(), old(3).deaf(), young(6000).deaf()}}
	dues, _ := l.Decide(seen, begun)
	require.Equal(t, []Due{{2, hangUp}, {3, []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP}}}, dues, "who ignores the signal, at once")
	dues, _ = l.Decide(seen, begun.Add(grace/2-1))
	require.Empty(t, dues)
	require.EqualValues(t, 1, l.UntilHalf(begun.Add(grace/2-1)))
	dues, _ = l.Decide(seen, begun.Add(grace/2))
	require.Equal(t, []Due{{1, hangUp}}, dues, "the rest in the middle, but for what a parent sees to")
	dues, _ = l.Decide(seen, begun.Add(grace-1))
	require.Empty(t, dues)
}

// Who handles the signal, and would die of SIGHUP, has the whole grace.
func TestAHandlerIsNotHungUp(t *testing.T) {
	l := stopping(t)
	handles := old(1).grouped()
	handles.Spared = true
	for _, at := range []time.Duration{0, grace / 2, grace - 1} {
		dues, _ := l.Decide(Snapshot{Terminal: true, Members: []Member{handles}}, begun.Add(at))
		require.Empty(t, dues, at)
	}
}

func TestAHangUpIsNoSecondStopSignal(t *testing.T) {
	l := &Ledger{At: at}
	require.Equal(t, syscall.SIGHUP, l.Ask(Stop{syscall.SIGHUP, begun.Add(grace)}, begun))
	dues, _ := l.Decide(Snapshot{Terminal: true, Members: []Member{old(1).deaf()}}, begun.Add(grace/2))
	require.Equal(t, []Due{{1, hangUp}}, dues)
}

func TestNothingIsDueWithoutAStop(t *testing.T) {
	var l Ledger
	dues, soon := l.Decide(Snapshot{Members: []Member{old(1), young(2).orphan()}}, begun)
	require.Empty(t, dues)
	require.False(t, soon)
	require.Zero(t, l.Pass(begun.Add(time.Hour)))
}
