using System.Runtime.ExceptionServices;

namespace Flows.KernelCluster;

/// <summary>Code on a thread of its own: what belongs to a thread, as its namespace and its cores do, changes for nobody else.</summary>
public static class OwnThread
{
    /// <summary>Runs <paramref name="enter"/>, then <paramref name="act"/>, and gives what that gives; a fault of either is thrown to the caller.</summary>
    public static T Run<T>(Action enter, Func<T> act)
    {
        T? result = default;
        ExceptionDispatchInfo? fault = null;
        var thread = new Thread(() =>
        {
            try
            {
                enter();
                result = act();
            }
            catch (Exception caught)
            {
                fault = ExceptionDispatchInfo.Capture(caught);
            }
        });
        thread.Start();
        thread.Join();
        fault?.Throw();
        return result!;
    }
}
