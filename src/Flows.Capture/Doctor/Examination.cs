using Flows.Core;

namespace Flows.Capture.Doctor;

/// <summary>Runs checks side by side, each with a time limit: one that hangs costs its own answer only.</summary>
public static class Examination
{
    /// <summary>How long a check may look. An answer of the kernel takes milliseconds; the whole stays below two seconds.</summary>
    public static readonly TimeSpan PatienceMax = TimeSpan.FromSeconds(1.5);

    /// <summary>The finding of each check, in the order of the checks.</summary>
    public static async Task<IReadOnlyList<Finding>> LookAsync(IReadOnlyList<Check> checks, NodeView node, TimeSpan patience, TimeProvider time)
    {
        var looking = checks.Select(check => LookAsync(check, node, patience, time)).ToList();
        return await Task.WhenAll(looking).ConfigureAwait(false);
    }

    private static async Task<Finding> LookAsync(Check check, NodeView node, TimeSpan patience, TimeProvider time)
    {
        // A thread of its own: one that hangs must not take one from the pool. It is left behind; the process ends without it.
        var done = new TaskCompletionSource<Finding>(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(() =>
        {
            try
            {
                done.TrySetResult(check.Look(node));
            }
            catch (Exception fault)
            {
                // The thread's top. A check that fails tells nothing about the node, and must not hide what others found.
                done.TrySetResult(new Finding(check.Id, FindingStatus.Unknown, $"the check failed: {VisibleText.Of(fault.Message)}"));
            }
        })
        { IsBackground = true, Name = check.Id };
        thread.Start();
        try
        {
            return await done.Task.WaitAsync(patience, time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            return new Finding(check.Id, FindingStatus.Unknown, $"no answer within {patience.TotalSeconds:0.#} s");
        }
    }
}
