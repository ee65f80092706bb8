// Package wire is the HTTP client of the payment adapters: bounded in time and size,
// following no redirects, and telling apart what went wrong.
package wire

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"hufu/internal/fault"
)

// DefaultTimeout bounds a call, from dialling to the last byte of the answer.
const DefaultTimeout = 10 * time.Second

// DownloadTimeout bounds the fetching of a file.
const DownloadTimeout = 30 * time.Minute

// DefaultLimit bounds the body of an answer in bytes.
const DefaultLimit = 1 << 20

// Client makes bounded calls. Close it when done.
type Client struct {
	http    *http.Client
	timeout time.Duration
}

// New makes a client; a timeout of zero is DefaultTimeout.
func New(timeout time.Duration) *Client {
	if timeout <= 0 {
		timeout = DefaultTimeout
	}
	return &Client{
		timeout: timeout,
		http: &http.Client{
			Transport: &http.Transport{
				Proxy:                  http.ProxyFromEnvironment,
				DialContext:            (&net.Dialer{Timeout: min(timeout, 5*time.Second), KeepAlive: 30 * time.Second}).DialContext,
				TLSHandshakeTimeout:    5 * time.Second,
				MaxResponseHeaderBytes: 64 << 10,
				MaxIdleConnsPerHost:    16,
				IdleConnTimeout:        90 * time.Second,
				ForceAttemptHTTP2:      true,
			},
			// A channel never redirects a signed call; one that seems to is somebody else (S53).
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// Close drops the idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Answer is what came back.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Do sends a request and reads the whole answer, at most limit bytes of it. The faults are
// paygate.timeout, paygate.unreachable, paygate.answer_redirect and paygate.answer_too_large,
// all of kind Unavailable: none of them says that the call had no effect.
func (c *Client) Do(ctx context.Context, req *http.Request, limit int64) (Answer, error) {
	var body bytes.Buffer
	a, err := c.into(ctx, req, limit, c.timeout, &body)
	if err != nil {
		return Answer{}, err
	}
	a.Body = body.Bytes()
	return a, nil
}

// Download is Do for a file too large for memory: the body goes to w, in up to DownloadTimeout.
// What w was given is worth nothing when it fails.
func (c *Client) Download(ctx context.Context, req *http.Request, limit int64, w io.Writer) (Answer, error) {
	return c.into(ctx, req, limit, DownloadTimeout, w)
}

func (c *Client) into(ctx context.Context, req *http.Request, limit int64, timeout time.Duration, w io.Writer) (Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	res, err := c.http.Do(req.WithContext(ctx))
	if err != nil {
		return Answer{}, broken(err)
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 && res.StatusCode < 400 {
		return Answer{}, fault.New(fault.Unavailable, "paygate.answer_redirect", "status", strconv.Itoa(res.StatusCode))
	}
	n, err := io.Copy(w, io.LimitReader(res.Body, limit+1))
	if err != nil {
		return Answer{}, broken(err)
	}
	if n > limit {
		return Answer{}, fault.New(fault.Unavailable, "paygate.answer_too_large", "limit", strconv.FormatInt(limit, 10))
	}
	return Answer{Status: res.StatusCode, Header: res.Header}, nil
}

func broken(err error) error {
	var timeout net.Error
	if errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout() {
		return fault.Wrap(err, fault.Unavailable, "paygate.timeout")
	}
	return fault.Wrap(err, fault.Unavailable, "paygate.unreachable")
}
