// What Alipay's side, and a shop's, say and believe by the npm package alipay-sdk.
//
//   node alipay.mjs shop    a shop at the gateway named on standard input: asks, makes a code,
//                           pays, refunds, closes; prints what came back
//   node alipay.mjs notice  verifies a notice from standard input; prints whether it is believed
//   node alipay.mjs check   verifies a signed address from standard input as Alipay does
import { text } from 'node:stream/consumers'
import { createVerify } from 'node:crypto'
import { AlipaySdk } from 'alipay-sdk'

const print = v => process.stdout.write(JSON.stringify(v) + '\n')
const sdk = c => new AlipaySdk({ appId: c.app_id, privateKey: c.private_key, keyType: 'PKCS8', alipayPublicKey: c.public_key, gateway: c.base_url + '/gateway.do', camelcase: false })

async function shop(c) {
  const pay = sdk(c), out = {}
  const call = (method, bizContent, extra) => pay.exec(method, { bizContent, ...extra }, { validateSign: true })
  const charge = no => ({ out_trade_no: no, total_amount: '19.90', subject: '腾讯视频 VIP 月卡 <1>', time_expire: c.time_expire })
  const made = await call('alipay.trade.precreate', charge('conformance_1'), { notify_url: c.notify_url })
  await fetch(made.qr_code, { method: 'POST', body: new URLSearchParams({ do: 'pay' }) })
  out.query = await call('alipay.trade.query', { out_trade_no: 'conformance_1' })
  out.refund = await call('alipay.trade.refund', { out_trade_no: 'conformance_1', refund_amount: '9.90', out_request_no: 'refund_0001', refund_reason: '不需要了' })
  out.refunded = await call('alipay.trade.fastpay.refund.query', { out_trade_no: 'conformance_1', out_request_no: 'refund_0001', query_options: ['gmt_refund_pay'] })
  await call('alipay.trade.precreate', charge('conformance_2'), { notify_url: c.notify_url })
  out.closed = await call('alipay.trade.close', { out_trade_no: 'conformance_2' })
  out.absent = await call('alipay.trade.query', { out_trade_no: 'conformance_3' })
  const page = pay.pageExecute('alipay.trade.page.pay', 'GET', { bizContent: { ...charge('conformance_4'), product_code: 'FAST_INSTANT_TRADE_PAY' }, notify_url: c.notify_url, returnUrl: 'https://shop.example/orders/1' })
  out.page = (await fetch(page)).status
  print(out)
}

const notice = c => print({ believed: sdk(c).checkNotifySignV2(Object.fromEntries(new URLSearchParams(c.body))) })

function check(c) {
  const { sign, ...params } = Object.fromEntries(new URL(c.address).searchParams)
  const content = Object.keys(params).filter(k => params[k] !== '').sort().map(k => `${k}=${params[k]}`).join('&')
  print({ believed: createVerify('RSA-SHA256').update(content, 'utf8').verify(c.shop_key, sign, 'base64'), params })
}

await { shop, notice, check }[process.argv[2]](JSON.parse(await text(process.stdin)))
