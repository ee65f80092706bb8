package bench

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"

	"hufu/internal/id"
)

// client is one keep-alive HTTP/1.1 connection. It is lean on purpose: it shares the
// machine with the server it measures.
type client struct {
	addr string
	conn net.Conn
	in   *bufio.Reader
	out  []byte
	body []byte
}

func dial(addr string) (*client, error) {
	c := &client{addr: addr}
	return c, c.reopen()
}

func (c *client) reopen() error {
	if c.conn != nil {
		c.conn.Close()
	}
	conn, err := net.DialTimeout("tcp", c.addr, 5*time.Second)
	if err != nil {
		return err
	}
	c.conn, c.in = conn, bufio.NewReaderSize(conn, 16<<10)
	return nil
}

func (c *client) close() { c.conn.Close() }

// do sends a request and returns the status and the body, which is valid until the next
// call. header holds whole lines.
func (c *client) do(method, path, header string, body []byte) (int, []byte, error) {
	c.out = append(c.out[:0], method...)
	c.out = append(c.out, ' ')
	c.out = append(c.out, path...)
	c.out = append(c.out, " HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nAccept: application/json\r\n"...)
	c.out = append(c.out, header...)
	c.out = append(c.out, "Content-Length: "...)
	c.out = strconv.AppendInt(c.out, int64(len(body)), 10)
	c.out = append(c.out, "\r\n\r\n"...)
	c.out = append(c.out, body...)
	c.conn.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := c.conn.Write(c.out); err != nil {
		return 0, nil, err
	}
	return c.read()
}

func (c *client) read() (int, []byte, error) {
	line, err := c.in.ReadSlice('\n')
	if err != nil {
		return 0, nil, err
	}
	if len(line) < 12 {
		return 0, nil, fmt.Errorf("bench: short status line %q", line)
	}
	status, err := strconv.Atoi(string(line[9:12]))
	if err != nil {
		return 0, nil, err
	}
	length := -1
	for {
		if line, err = c.in.ReadSlice('\n'); err != nil {
			return 0, nil, err
		}
		if len(line) <= 2 {
			break
		}
		if name, value, ok := bytes.Cut(line, []byte(":")); ok && bytes.EqualFold(name, []byte("Content-Length")) {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return 0, nil, err
			}
		}
	}
	if length < 0 && status == 204 {
		length = 0
	}
	if length < 0 {
		return 0, nil, fmt.Errorf("bench: an answer without Content-Length")
	}
	if cap(c.body) < length {
		c.body = make([]byte, length*2)
	}
	c.body = c.body[:length]
	_, err = io.ReadFull(c.in, c.body)
	return status, c.body, err
}

// member finds the text of a member of flat JSON that this program's own server wrote.
func member(body []byte, name string) string {
	i := bytes.Index(body, []byte(`"`+name+`":"`))
	if i < 0 {
		return ""
	}
	rest := body[i+len(name)+4:]
	j := bytes.IndexByte(rest, '"')
	if j < 0 {
		return ""
	}
	return string(rest[:j])
}

// onSale is an offer as its buyers know it, who accept its terms by their hash.
type onSale struct {
	id    id.Offer
	terms string
}

// read looks offers up, as a client does that shows them to a buyer.
func read(c *client, offers ...id.Offer) ([]onSale, error) {
	out := make([]onSale, len(offers))
	for i, o := range offers {
		status, body, err := c.do("GET", "/api/v1/offers/"+string(o), "", nil)
		if err == nil && status != 200 {
			err = fmt.Errorf("offer: %d %.300s", status, body)
		}
		if err != nil {
			return nil, err
		}
		out[i] = onSale{o, member(body, "terms")}
	}
	return out, nil
}

// orderBody asks for one unit of an offer; without a phone, for a member, whose own the shop has.
func orderBody(o onSale, phone string) []byte {
	if phone != "" {
		phone = `"phone":"` + phone + `",`
	}
	return []byte(`{"lines":[{"offer":"` + string(o.id) + `","quantity":1,"terms":"` + o.terms + `"}],` + phone + `"gateway":"` + provider + `"}`)
}
