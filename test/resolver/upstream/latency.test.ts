import test from 'ava'
import { Latency } from '#resolver/upstream/latency.ts'

const replies = (latency: Latency, count: number, duration: number, start = 0) => {
  for (let index = 0; index < count; index++) {
    latency.sent(start)
    latency.replied(start + duration, duration)
  }
}

test('a server of which nothing is known costs nothing, so that it is asked', t => {
  const latency = new Latency()
  t.is(latency.cost(1000), 0)
  t.is(latency.percentile95, undefined)
})

test('the quicker server costs less; questions in hand add to it', t => {
  const [quick, slow] = [new Latency(), new Latency()]
  replies(quick, 50, 2)
  replies(slow, 50, 9)
  t.true(quick.cost(10) < slow.cost(10))
  for (let index = 0; index < 5; index++) quick.sent(10)
  t.true(quick.cost(10) > slow.cost(10))
})

test('servers that reply at once share the questions, too', t => {
  const [one, other] = [new Latency(), new Latency()]
  replies(one, 50, 0)
  replies(other, 50, 0.01)
  t.is(one.cost(10), other.cost(10))
  one.sent(10)
  t.true(one.cost(10) > other.cost(10))
})

test('silence costs as long as it lasts, and ends with a reply', t => {
  const latency = new Latency()
  replies(latency, 50, 2)
  latency.sent(100)
  t.is(latency.cost(100), latency.mean(100) * 2)
  t.is(latency.cost(600), 1000)
  latency.replied(601, 501)
  t.true(latency.cost(601) < 100)
})

test('silence begins with the first of several questions, not with the last', t => {
  const latency = new Latency()
  for (let now = 0; now < 500; now += 10) latency.sent(now)
  t.true(latency.cost(500) >= 500)
})

test('a failure weighs until something comes, or is forgiven; what is known fades', t => {
  const latency = new Latency()
  replies(latency, 50, 2)
  latency.sent(100)
  latency.failed(2100, 2000)
  t.true(latency.cost(2100) >= 2000)
  t.true(latency.cost(12_100) <= 1000)
  latency.forgive()
  t.true(latency.cost(2100) <= 2)
  latency.sent(3000)
  latency.failed(5000, 2000)
  replies(latency, 1, 2, 5000)
  t.true(latency.cost(5002) <= 2)
})

test('the percentile is of the last replies', t => {
  const latency = new Latency()
  replies(latency, 90, 1)
  replies(latency, 6, 40)
  t.is(latency.percentile95, 40)
  replies(latency, 128, 3)
  t.is(latency.percentile95, 3)
})

test('what is given up is neither reply nor failure', t => {
  const latency = new Latency()
  latency.sent(0)
  latency.abandoned()
  t.is(latency.underWay, 0)
  t.is(latency.cost(1000), 0)
})
