package wechat

// Settle waits until what the adapter does by itself is done.
func (g *Gateway) Settle() { g.own.Wait() }
