// house:allow-file(purity) worker threads: no result depends on when or where a job runs
import Dispatch
import Foundation
import MurmurCollective
import Synchronization

/// A promise that a worker keeps.
final class Ticket<Value: Sendable>: Sendable {
  fileprivate let value = Mutex<Value?>(nil)

  /// The value, once it is there.
  fileprivate var ready: Value? { value.withLock { $0 } }
}

/// Worker threads for jobs whose results do not depend on when or where they run.
///
/// With one thread there are no workers: whoever waits for a result runs the jobs. With more, the waiting thread helps, so that
/// `threads` cores are busy. A result is the same in either case, because a job is a value and the kernels fix every order.
final class WorkerPool: Sendable {
  private typealias Job = @Sendable (Workbench) -> Void

  private struct State {
    var jobs: [Job] = []
    var head = 0
    var closed = false

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
  private let work = DispatchSemaphore(value: 0)
  private let done = DispatchSemaphore(value: 0)
  /// How many threads run jobs, the one that waits included.
  let threads: Int

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
    state.withLock { $0.closed = true }
    for _ in 1..<max(threads, 2) { work.signal() }
  }

  private func serve() {
    let bench = Workbench()
    while true {
      work.wait()
      let (job, closed) = state.withLock { ($0.take(), $0.closed) }
      if let job {
        job(bench)
        done.signal()
      } else if closed {
        return
      }
    }
  }

  /// Hands in a job.
  func submit<Value: Sendable>(_ job: @escaping @Sendable (Workbench) -> Value) -> Ticket<Value> {
    let ticket = Ticket<Value>()
    state.withLock { state in
      state.jobs.append { bench in
        let result = job(bench)
        ticket.value.withLock { $0 = result }
      }
    }
    if threads > 1 { work.signal() }
    return ticket
  }

  /// Waits for a result, running other jobs meanwhile on `bench`.
  func wait<Value>(for ticket: Ticket<Value>, bench: Workbench) -> Value {
    while true {
      if let value = ticket.ready { return value }
      if let job = state.withLock({ $0.take() }) {
        job(bench)
      } else {
        // Every job has been taken, so the one waited for is running on a worker, which signals when it ends.
        done.wait()
      }
    }
  }
}
