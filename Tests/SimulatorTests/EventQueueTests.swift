import MurmurMachines
import MurmurSimulator
import Testing

@Suite("What happens when, and in which order")
struct EventQueueTests {
  @Test(
    "events come out by time, and in order of arrival among equals, however far the queue looks ahead", arguments: 0..<20,
    [0, 1, 5])
  func order(seed: Int, ahead: Int) {
    var chance = Chance(seed: UInt64(seed))
    var queue = EventQueue<Int>(ahead: ahead)
    var expected: [(time: Int64, number: Int)] = []
    var seen: [Int] = []
    var number = 0
    var looks = 0
    func take() {
      let sorted = expected.sorted { ($0.time, $0.number) < ($1.time, $1.number) }
      for place in 0...ahead {
        if let event = queue.look(ahead: place) {
          looks += 1
          #expect(place < sorted.count && event == sorted[place].number, "seed \(seed): \(place) events from now")
        }
      }
      guard let (time, event) = queue.pop() else { return }
      seen.append(event)
      let first = expected.min { ($0.time, $0.number) < ($1.time, $1.number) }
      #expect(first?.number == event && first?.time == time.nanoseconds, "seed \(seed)")
      expected.removeAll { $0.number == event }
    }
    for _ in 0..<400 {
      if chance.happens(0.6) {
        let time = Int64(chance.below(20))
        queue.schedule(number, at: Instant(nanoseconds: time))
        expected.append((time, number))
        number += 1
      } else {
        take()
      }
    }
    while !queue.isEmpty { take() }
    #expect((looks > 0) == (ahead > 0), "seed \(seed): \(looks) looks ahead")
    #expect(seen.count == number, "seed \(seed): nothing is lost")
  }

  @Test("at one time events come out by rank, and in order of arrival among equals", arguments: 0..<10, [0, 3])
  func ranks(seed: Int, ahead: Int) {
    var chance = Chance(seed: UInt64(seed))
    var queue = EventQueue<Int>(ahead: ahead)
    var expected: [(time: Int64, rank: Int, number: Int)] = []
    var number = 0
    for _ in 0..<300 {
      if chance.happens(0.6) {
        let (time, rank) = (Int64(chance.below(4)), Int(chance.below(5)))
        queue.schedule(number, at: Instant(nanoseconds: time), rank: rank)
        expected.append((time, rank, number))
        number += 1
      } else if let (time, event) = queue.pop() {
        let first = expected.min { ($0.time, $0.rank, $0.number) < ($1.time, $1.rank, $1.number) }
        #expect(first?.number == event && first?.time == time.nanoseconds, "seed \(seed)")
        expected.removeAll { $0.number == event }
      }
    }
    #expect(number > 100 && queue.isEmpty == expected.isEmpty, "seed \(seed)")
  }
}
