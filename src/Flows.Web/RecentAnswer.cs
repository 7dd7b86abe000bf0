namespace Flows.Web;

/// <summary>
/// The last answer to a question that takes long, for those who ask the same again: somebody who turns the pages of an answer. One is made at a time, and
/// it is forgotten when nobody has asked for it for a while.
/// </summary>
/// <param name="answer">Makes an answer.</param>
/// <param name="time">The clock.</param>
public sealed class RecentAnswer<TQuestion, TAnswer>(Func<TQuestion, TAnswer> answer, TimeProvider time) : IDisposable
    where TQuestion : IEquatable<TQuestion>
{
    // An answer that took long may be older: whoever asks again every minute should not keep the machine busy.
    private const int AgeTimes = 10;
    private static readonly TimeSpan AgeLeast = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan UnusedMost = TimeSpan.FromMinutes(5);

    private readonly Lock gate = new();
    private (TQuestion Question, TAnswer Answer, long MadeAt, TimeSpan Lasts)? kept;
    private ITimer? forget;

    /// <summary>Answers, after those who came before: with what is kept where it is an answer to the same question and young, unless it must be <paramref name="fresh"/>.</summary>
    public TAnswer Ask(TQuestion question, bool fresh)
    {
        lock (gate)
        {
            if (fresh || kept is not { } last || !last.Question.Equals(question) || time.GetElapsedTime(last.MadeAt) >= last.Lasts)
            {
                // Let go before the next is made: two at once would need twice the memory.
                kept = null;
                var began = time.GetTimestamp();
                var made = answer(question);
                var took = time.GetElapsedTime(began);
                kept = (question, made, time.GetTimestamp(), TimeSpan.FromTicks(Math.Max(AgeLeast.Ticks, took.Ticks * AgeTimes)));
            }

            forget ??= time.CreateTimer(_ => Forget(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            forget.Change(UnusedMost, Timeout.InfiniteTimeSpan);
            return kept!.Value.Answer;
        }
    }

    public void Dispose()
    {
        lock (gate)
        {
            forget?.Dispose();
            kept = null;
        }
    }

    private void Forget()
    {
        lock (gate)
        {
            kept = null;
        }
    }
}
