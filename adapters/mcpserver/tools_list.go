package mcpserver

import (
	"fmt"
	"maps"
	"strings"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/visible"
)

func (s *session) listProcesses(c call, _ noParams) (string, listResult, error) {
	processes, err := s.list(c)
	if err != nil {
		return "", listResult{}, err
	}
	size := 0
	for _, info := range processes {
		size += sizeOf(info)
	}
	if err := c.arrival.hold(c, size); err != nil {
		return "", listResult{}, err
	}
	result := listResult{Processes: []processSummary{}}
	for _, info := range processes {
		result.Processes = append(result.Processes, summaryOf(info))
	}
	return listText(processes), result, nil
}

func (s *session) getProcessInfo(c call, in idParams) (string, infoResult, error) {
	info, err := s.info(c, in.ProcessID)
	if err != nil {
		return "", infoResult{}, err
	}
	return infoText(info), describe(info), nil
}

// sizeOf is about how many bytes the summary of a process has.
func sizeOf(info procession.Info) int {
	words := len(info.Command)
	for _, arg := range info.Args {
		words += len(arg)
	}
	size := 256 + min(words, longestWords) + min(len(info.Name), longestWords)
	for name, value := range info.Labels {
		size += len(name) + min(len(value), longestWords)
	}
	return size
}

func summaryOf(info procession.Info) processSummary {
	labels := maps.Clone(info.Labels)
	for _, own := range ownLabels {
		delete(labels, own)
	}
	for name, value := range labels {
		labels[name] = visible.Cut(value, longestWords)
	}
	return processSummary{
		ProcessID: info.ID, Name: visible.Cut(info.Name, longestWords), Command: commandLine(info), State: info.State.String(),
		ExitCode: exitCode(info.Exit), Signal: exitSignal(info.Exit), PID: info.PID,
		Labels: labels, CreatedAt: info.CreatedAt, OutputBytes: info.OutputBytes,
	}
}

func describe(info procession.Info) infoResult {
	result := infoResult{
		processSummary: summaryOf(info),
		Cwd:            info.Dir, Ready: info.Ready, Restarts: info.Restarts, StartedAt: info.StartedAt,
		OutputLimit: info.OutputLimit, RetainedBytes: info.Retained, DroppedBytes: info.Dropped,
		OutputCut: outputCut(info.Exit),
	}
	if exit := info.Exit; exit != nil {
		result.EndedAt, result.MaxRSSBytes = &exit.Time, &exit.MaxRSS
		result.Cause = new(exit.Cause.String())
		result.CPUSeconds = new((exit.UserTime + exit.SystemTime).Seconds())
	}
	return result
}

func listText(processes []procession.Info) string {
	if len(processes) == 0 {
		return "There are no processes."
	}
	var b strings.Builder
	for _, info := range processes {
		fmt.Fprintf(&b, "%s  %s", info.ID, status(info))
		if info.Name != "" {
			fmt.Fprintf(&b, "  %s", shortened(info.Name, 120))
		}
		fmt.Fprintf(&b, "  %s\n", shortened(commandLine(info), 120))
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func infoText(info procession.Info) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\ncommand: %s\npid: %d\n", info.ID, status(info), shortened(commandLine(info), longestWords), info.PID)
	if info.Name != "" {
		fmt.Fprintf(&b, "name: %s\n", shortened(info.Name, longestWords))
	}
	if info.Dir != "" {
		fmt.Fprintf(&b, "cwd: %s\n", shortened(info.Dir, longestWords))
	}
	fmt.Fprintf(&b, "started: %s\n", info.StartedAt.Format("2006-01-02 15:04:05"))
	if exit := info.Exit; exit != nil {
		fmt.Fprintf(&b, "ended: %s (%v), CPU time %v, %d bytes of memory at the most\n",
			exit.Time.Format("2006-01-02 15:04:05"), exit.Cause, exit.UserTime+exit.SystemTime, exit.MaxRSS)
	}
	fmt.Fprintf(&b, "output: %d bytes, %d of them retained", info.OutputBytes, info.Retained)
	if outputCut(info.Exit) {
		b.WriteString("\n" + cutText)
	}
	return b.String()
}

// status returns the state and, of a process that has ended, how.
func status(info procession.Info) string {
	if info.Exit == nil {
		return info.State.String()
	}
	text := fmt.Sprintf("%v, %v", info.State, *info.Exit)
	if info.Exit.Cause != procession.CauseExited {
		text += fmt.Sprintf(" (%v)", info.Exit.Cause)
	}
	if info.Exit.Reason != "" {
		text += ": " + shortened(info.Exit.Reason, 400)
	}
	return text
}
