package bench

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// process is a program started for a measurement.
type process struct {
	cmd  *exec.Cmd
	addr string
	log  *os.File
}

// start runs this very program with other arguments and waits for the line on its standard
// output that names its address.
func start(ctx context.Context, args ...string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{cmd: exec.CommandContext(ctx, self, args...)}
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) }
	if p.log, err = os.CreateTemp("", "hufu-bench-*.log"); err != nil {
		return nil, err
	}
	p.cmd.Stderr = p.log
	p.cmd.Env = append(os.Environ(), "HUFU_LANG=en")
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if _, addr, ok := strings.Cut(lines.Text(), "http://"); ok {
			p.addr = strings.TrimSpace(addr)
			go io.Copy(io.Discard, out)
			return p, nil
		}
	}
	p.cmd.Wait()
	text, _ := os.ReadFile(p.log.Name())
	return nil, fmt.Errorf("bench: hufu %s did not come up: %s", strings.Join(args, " "), text)
}

// stop ends the process as an operator would. It may be called again.
func (p *process) stop() {
	if p.cmd.ProcessState != nil {
		return
	}
	p.cmd.Process.Signal(syscall.SIGTERM)
	p.cmd.Wait()
	p.log.Close()
	os.Remove(p.log.Name())
}

// cpu is the processor time the process has used, in seconds.
func (p *process) cpu() float64 { return cpuOf(p.cmd.Process.Pid) }

func cpuOf(pid int) float64 {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(raw), ") ")
	f := strings.Fields(rest)
	if len(f) < 13 {
		return 0
	}
	user, _ := strconv.ParseFloat(f[11], 64)
	system, _ := strconv.ParseFloat(f[12], 64)
	return (user + system) / 100 // clock ticks: 100 a second on every Linux
}

// peak is the most memory the process has held, in MiB.
func (p *process) peak() float64 { return peakOf(p.cmd.Process.Pid) }

func peakOf(pid int) float64 { return memoryOf(pid, "VmHWM:") }

// memoryOf is a figure of what the system says of a process's memory, in MiB.
func memoryOf(pid int, figure string) float64 {
	raw, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(raw)) {
		if v, ok := strings.CutPrefix(line, figure); ok {
			kb, _ := strconv.ParseFloat(strings.Fields(v)[0], 64)
			return kb / 1024
		}
	}
	return 0
}
