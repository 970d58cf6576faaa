// house:allow-file(purity) worker threads: no result depends on when or where a job runs
import Dispatch
import Foundation
import MurmurCollective
import MurmurCompute
import Synchronization

/// A promise that a worker keeps.
final class Ticket<Value: Sendable>: Sendable {
  fileprivate let value = Mutex<Value?>(nil)

  /// The value, once it is there.
  fileprivate var ready: Value? { value.withLock { $0 } }
}

/// A job on its way to a worker, who takes it out and is then its only owner.
final class Parcel<Content: Sendable>: Sendable {
  private let content: Mutex<Content?>

  init(_ content: consuming Content) { self.content = Mutex(consume content) }

  func open() -> Content {
    guard let content = content.withLock({ $0.take() }) else { preconditionFailure("a job is run once") }
    return content
  }
}

/// Worker threads for jobs whose results do not depend on when or where they run.
///
/// With one thread there are no workers: whoever waits for a result runs the jobs. With more, the waiting thread helps, so that
/// `threads` cores are busy. A result is the same in either case, because a job is a value and the kernels fix every order.
///
/// A job of a small model takes some twenty microseconds, and to wake a sleeping thread nearly as long. So whoever has nothing to do
/// looks again for a while before it goes to sleep, and nobody is woken who is awake.
final class WorkerPool: Sendable {
  private typealias Job = @Sendable (Workbench) -> Void

  private struct State {
    var jobs: [Job] = []
    var head = 0
    var closed = false
    /// Workers that sleep, and whether the waiting thread does.
    var sleepers = 0
    var isAwaited = false

    mutating func take() -> Job? {
      guard head < jobs.count else { return nil }
      let job = jobs[head]
      head += 1
      if head == jobs.count || head > 1024 {
        jobs.removeFirst(head)
        head = 0
      }
      return job
    }
  }

  private let state = Mutex(State())
  /// Jobs handed in, and jobs done, so far.
  private let submitted = Atomic(0)
  private let finished = Atomic(0)
  private let work = DispatchSemaphore(value: 0)
  private let done = DispatchSemaphore(value: 0)
  /// How many threads run jobs, the one that waits included.
  let threads: Int
  /// How often an idle thread looks again before it sleeps: some thirty microseconds.
  private static let looks = 30_000

  init(threads: Int) {
    self.threads = max(threads, 1)
    for number in 1..<max(threads, 1) {
      let thread = Thread { [self] in serve() }
      thread.name = "murmur worker \(number)"
      thread.stackSize = 8 << 20
      thread.start()
    }
  }

  /// Lets the worker threads end once the queue is empty.
  func close() {
    let sleepers = state.withLock { state in
      state.closed = true
      defer { state.sleepers = 0 }
      return state.sleepers
    }
    for _ in 0..<sleepers { work.signal() }
  }

  private func serve() {
    let bench = Workbench()
    while true {
      let seen = submitted.load(ordering: .acquiring)
      let (job, closed) = state.withLock { ($0.take(), $0.closed) }
      if let job {
        job(bench)
        finish()
      } else if closed {
        return Kernels.forgetFreedMemory()
      } else if !changes(submitted, from: seen) {
        sleep()
      }
    }
  }

  /// Looks whether a counter moves on, for a while.
  private func changes(_ counter: borrowing Atomic<Int>, from seen: Int) -> Bool {
    for _ in 0..<WorkerPool.looks where counter.load(ordering: .acquiring) != seen { return true }
    return false
  }

  private func sleep() {
    let sleeps = state.withLock { state in
      guard state.head == state.jobs.count, !state.closed else { return false }
      state.sleepers += 1
      return true
    }
    if sleeps { work.wait() }
  }

  private func finish() {
    let isAwaited = state.withLock { state in
      finished.add(1, ordering: .releasing)
      defer { state.isAwaited = false }
      return state.isAwaited
    }
    if isAwaited { done.signal() }
  }

  /// Hands in a job.
  func submit<Value: Sendable>(_ job: @escaping @Sendable (Workbench) -> Value) -> Ticket<Value> {
    let ticket = Ticket<Value>()
    let wakes = state.withLock { state in
      state.jobs.append { bench in
        let result = job(bench)
        ticket.value.withLock { $0 = result }
      }
      submitted.add(1, ordering: .releasing)
      guard state.sleepers > 0 else { return false }
      state.sleepers -= 1
      return true
    }
    if wakes { work.signal() }
    return ticket
  }

  /// Waits for a result, running other jobs meanwhile on `bench`. Only one thread waits.
  func wait<Value>(for ticket: Ticket<Value>, bench: Workbench) -> Value {
    while true {
      let seen = finished.load(ordering: .acquiring)
      if let value = ticket.ready { return value }
      if let job = state.withLock({ $0.take() }) {
        job(bench)
      } else if !changes(finished, from: seen) {
        // Every job has been taken, so the one waited for is running on a worker.
        let sleeps = state.withLock { state in
          guard finished.load(ordering: .acquiring) == seen else { return false }
          state.isAwaited = true
          return true
        }
        if sleeps { done.wait() }
      }
    }
  }
}
