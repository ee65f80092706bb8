// What WeChat Pay's side, and a shop's, say and believe by the npm package wechatpay-axios-plugin.
//
//   node wechat.mjs shop      a shop at the gateway named on standard input: pays, asks, closes,
//                             refunds; prints what came back
//   node wechat.mjs notice    verifies and opens a notice from standard input; prints its inside
//   node wechat.mjs platform  serves as WeChat Pay until standard input ends: prints its address
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import wxpay from 'wechatpay-axios-plugin'

const { Wechatpay, Rsa, Aes, Formatter } = wxpay
const print = v => process.stdout.write(JSON.stringify(v) + '\n')

async function shop(c) {
  const pay = new Wechatpay({
    mchid: c.merchant_id, serial: c.serial_no, privateKey: Rsa.from(c.private_key), baseURL: c.base_url,
    certs: { [c.public_key_id]: Rsa.from(c.public_key, Rsa.KEY_TYPE_PUBLIC) },
  })
  const charge = no => ({
    appid: c.app_id, mchid: c.merchant_id, description: '腾讯视频 VIP 月卡 <1>', out_trade_no: no, time_expire: c.time_expire,
    notify_url: c.notify_url, amount: { total: 1990, currency: 'CNY' },
  })
  const out = {}
  const headers = { 'Wechatpay-Serial': c.public_key_id }
  const made = await pay.chain('v3/pay/transactions/native').post(charge('conformance_1'), { headers })
  await fetch(made.data.code_url, { method: 'POST', body: new URLSearchParams({ do: 'pay' }) })
  out.query = (await pay.chain('v3/pay/transactions/out-trade-no/{no}').get({ no: 'conformance_1', params: { mchid: c.merchant_id }, headers })).data
  out.refund = (await pay.chain('v3/refund/domestic/refunds').post({
    transaction_id: out.query.transaction_id, out_refund_no: 'refund_0001', reason: '不需要了', notify_url: c.notify_url, amount: { refund: 990, total: 1990, currency: 'CNY' },
  }, { headers })).data
  await pay.chain('v3/pay/transactions/native').post(charge('conformance_2'), { headers })
  out.closed = (await pay.chain('v3/pay/transactions/out-trade-no/{no}/close').post({ mchid: c.merchant_id }, { no: 'conformance_2', headers })).status
  out.absent = await pay.chain('v3/pay/transactions/out-trade-no/{no}').get({ no: 'conformance_3', params: { mchid: c.merchant_id }, headers })
    .catch(e => ({ status: e.response.status, ...e.response.data }))
  print(out)
}

function notice(c) {
  const h = name => c.headers[name][0]
  const believed = h('Wechatpay-Serial') === c.public_key_id && Rsa.verify(Formatter.response(h('Wechatpay-Timestamp'), h('Wechatpay-Nonce'), c.body), h('Wechatpay-Signature'), Rsa.from(c.public_key, Rsa.KEY_TYPE_PUBLIC))
  const { resource, ...outer } = JSON.parse(c.body)
  print({ believed, ...outer, inside: JSON.parse(Aes.AesGcm.decrypt(resource.ciphertext, c.api_v3_key, resource.nonce, resource.associated_data)) })
}

function platform(c) {
  const shopKey = Rsa.from(c.shop_key, Rsa.KEY_TYPE_PUBLIC), key = Rsa.from(c.private)
  const stamp = body => {
    const t = Formatter.timestamp(), n = Formatter.nonce()
    return { 'Wechatpay-Timestamp': t, 'Wechatpay-Nonce': n, 'Wechatpay-Serial': c.id, 'Wechatpay-Signature': Rsa.sign(Formatter.response(t, n, body), key) }
  }
  const server = createServer(async (req, res) => {
    const body = await text(req)
    const say = (status, v) => {
      const out = v === undefined ? '' : JSON.stringify(v)
      res.writeHead(status, { 'Content-Type': 'application/json; charset=utf-8', ...stamp(out) })
      res.end(out)
    }
    if (req.url === '/notice') { // what the platform would send of the text in the body
      const nonce = Formatter.nonce(12)
      const out = JSON.stringify({ id: 'EV-2018022511223320873', create_time: '2026-11-22T20:15:01+08:00', resource_type: 'encrypt-resource', event_type: 'TRANSACTION.SUCCESS', summary: '支付成功',
        resource: { original_type: 'transaction', algorithm: 'AEAD_AES_256_GCM', associated_data: 'transaction', nonce, ciphertext: Aes.AesGcm.encrypt(body, c.api_v3_key, nonce, 'transaction') } })
      res.end(JSON.stringify({ headers: stamp(out), body: out }))
      return
    }
    const auth = Object.fromEntries([...(req.headers.authorization ?? '').matchAll(/(\w+)="([^"]*)"/g)].map(m => [m[1], m[2]]))
    const believed = req.headers.authorization?.startsWith('WECHATPAY2-SHA256-RSA2048 ') && auth.mchid === c.merchant_id && auth.serial_no === c.serial_no &&
      Rsa.verify(Formatter.request(req.method, req.url, auth.timestamp, auth.nonce_str, body), auth.signature, shopKey)
    if (!believed) return say(401, { code: 'SIGN_ERROR', message: '签名错误' })
    const { pathname } = new URL(req.url, 'http://platform')
    const paid = { appid: c.app_id, mchid: c.merchant_id, out_trade_no: 'conformance_1', transaction_id: '4200001234202611220000000001', trade_type: 'NATIVE', trade_state: 'SUCCESS', trade_state_desc: '支付成功',
      bank_type: 'OTHERS', success_time: '2026-11-22T20:15:00+08:00', payer: { openid: 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o' }, amount: { total: 1990, payer_total: 1990, currency: 'CNY', payer_currency: 'CNY' } }
    const sent = body === '' ? {} : JSON.parse(body)
    if (pathname === '/v3/pay/transactions/native') return say(200, { code_url: 'weixin://wxpay/bizpayurl?pr=' + sent.out_trade_no })
    if (pathname === '/v3/pay/transactions/out-trade-no/conformance_1') return say(200, paid)
    if (pathname === '/v3/pay/transactions/out-trade-no/conformance_2/close' && sent.mchid === c.merchant_id) return say(204)
    if (pathname === '/v3/refund/domestic/refunds') {
      return say(200, { refund_id: '50000000382019052709732678859', out_refund_no: sent.out_refund_no, transaction_id: sent.transaction_id, out_trade_no: 'conformance_1', channel: 'ORIGINAL',
        user_received_account: '招商银行信用卡0403', create_time: '2026-11-22T20:16:00+08:00', success_time: '2026-11-22T20:16:01+08:00', status: 'SUCCESS', funds_account: 'AVAILABLE',
        amount: { total: sent.amount.total, refund: sent.amount.refund, payer_total: 1990, payer_refund: sent.amount.refund, settlement_refund: sent.amount.refund, settlement_total: 1990, discount_refund: 0, currency: 'CNY' } })
    }
    say(404, { code: 'ORDER_NOT_EXIST', message: '订单不存在' })
  })
  server.listen(0, '127.0.0.1', () => print({ address: `http://127.0.0.1:${server.address().port}` }))
  process.stdin.on('end', () => process.exit()).resume()
}

const [line, ...rest] = process.argv[2] === 'platform' ? [await new Promise(r => process.stdin.once('data', d => r(String(d))))] : [await text(process.stdin)]
await { shop, notice, platform }[process.argv[2]](JSON.parse(line))
