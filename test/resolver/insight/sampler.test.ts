import test from 'ava'
import { MANY, Sampler } from '#resolver/insight/sampler.ts'

test('where few come each is looked at', t => {
  const sampler = new Sampler()
  for (let now = 0; now < 10_000; now += 1000 / MANY) t.is(sampler.weight(now), 1)
})

test('of many a part is, and stands for all, in whatever rhythm they come', t => {
  const sampler = new Sampler()
  const every = 500 / MANY
  let looks = 0
  const weights = [0, 0, 0, 0]
  for (let index = 0; index < 200_000; index++) {
    const weight = sampler.weight(index * every)
    if (weight > 0) looks++
    weights[index % weights.length]! += weight
  }
  t.true(looks < 200_000 / 6, `${looks}`)
  const all = weights.reduce((sum, weight) => sum + weight, 0)
  t.true(all > 200_000 - 16 && all <= 200_000, `${all}`)
  for (const weight of weights) t.true(Math.abs(weight - all / 4) < all / 40, `${weights}`)
})
