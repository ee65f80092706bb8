package dbtest

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// StartCluster starts a PostgreSQL cluster of its own on a free port of 127.0.0.1, with
// fsync on, and returns its address and a function that stops and removes it. As root it
// runs as user postgres. When the binaries are missing it installs Debian's package if it
// may, and fails if it may not. A cluster that isn't stopped ends with this process.
func StartCluster(ctx context.Context) (dsn string, stop func(), err error) {
	bin, err := postgresBinaries(ctx)
	if err != nil {
		return "", nil, err
	}
	dir, err := os.MkdirTemp("", "hufu-postgres-")
	if err != nil {
		return "", nil, err
	}
	var attr *syscall.SysProcAttr
	if os.Getuid() == 0 {
		u, err := user.Lookup("postgres")
		if err != nil {
			return "", nil, err
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		if err := os.Chown(dir, uid, gid); err != nil {
			return "", nil, err
		}
		attr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	}
	data := filepath.Join(dir, "data")
	run := func(name string, args ...string) error {
		c := exec.CommandContext(ctx, filepath.Join(bin, name), args...)
		c.SysProcAttr, c.Dir = attr, dir
		if out, err := c.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", name, err, out)
		}
		return nil
	}
	if err := run("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--data-checksums"); err != nil {
		os.RemoveAll(dir)
		return "", nil, err
	}
	port, err := freePort()
	if err != nil {
		return "", nil, err
	}
	// sh waits for its standard input, which closes when this process ends however it
	// ends, and then takes the server down.
	script := fmt.Sprintf(`"%[1]s/postgres" -D "%[2]s" -p %[3]d -c listen_addresses=127.0.0.1 -c unix_socket_directories="%[4]s" -c max_connections=200 -c shared_buffers=256MB -c max_wal_size=2GB >"%[4]s/log" 2>&1 & p=$!; cat >/dev/null; kill -INT $p; wait $p; cd /; rm -rf "%[4]s"`, bin, data, port, dir)
	c := exec.Command("sh", "-c", script)
	c.SysProcAttr, c.Dir = attr, dir
	stdin, err := c.StdinPipe()
	if err != nil {
		return "", nil, err
	}
	if err := c.Start(); err != nil {
		return "", nil, err
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	stop = func() { stdin.Close(); <-ended }
	dsn = fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable", port)
	if err := answers(ctx, dsn, ended); err != nil {
		log, _ := os.ReadFile(filepath.Join(dir, "log"))
		stdin.Close()
		return "", nil, fmt.Errorf("postgres did not come up: %w\n%s", err, bytes.TrimSpace(log))
	}
	return dsn, stop, nil
}

// answers asks the server until it answers, ends, or half a minute is over.
func answers(ctx context.Context, dsn string, ended <-chan error) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	pool, err := sql.Open("pgx", dsn)
	if err != nil {
		return err
	}
	defer pool.Close()
	for again := time.NewTicker(20 * time.Millisecond); ; {
		err := pool.PingContext(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-again.C:
		case <-ended:
			return fmt.Errorf("it ended: %w", err)
		case <-ctx.Done():
			return err
		}
	}
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

func postgresBinaries(ctx context.Context) (string, error) {
	find := func() string {
		if p, err := exec.LookPath("initdb"); err == nil {
			return filepath.Dir(p)
		}
		found, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
		slices.SortFunc(found, func(a, b string) int { return len(b) - len(a) })
		for _, dir := range slices.Backward(found) {
			if _, err := os.Stat(filepath.Join(dir, "initdb")); err == nil {
				return dir
			}
		}
		return ""
	}
	if dir := find(); dir != "" {
		return dir, nil
	}
	for _, args := range [][]string{{"apt-get", "update"}, {"apt-get", "install", "-y", "--no-install-recommends", "postgresql"}} {
		c := exec.CommandContext(ctx, args[0], args[1:]...)
		c.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if out, err := c.CombinedOutput(); err != nil {
			return "", fmt.Errorf("PostgreSQL is not installed, and installing it failed: %w\n%s", err, out)
		}
	}
	if dir := find(); dir != "" {
		return dir, nil
	}
	return "", fmt.Errorf("PostgreSQL was installed, but its initdb was not found")
}
