using System.Collections.Concurrent;
using System.Text.Json;
using Flows.Core;

namespace Flows.Demo;

/// <summary>The fleet's end of one <see cref="Pod"/>: sends it requests and pairs its answers with them.</summary>
internal sealed class PodProcess : IAsyncDisposable
{
    /// <summary>Far beyond any request's own limit, so that only a stuck pod meets it.</summary>
    private static readonly TimeSpan AnswerTimeMax = TimeSpan.FromSeconds(30);

    private readonly BoundProcess process;
    private readonly ConcurrentDictionary<int, TaskCompletionSource<PodReply>> open = [];
    private readonly SemaphoreSlim writing = new(1);
    private readonly Task reading;
    private int lastId;

    private PodProcess(BoundProcess process)
    {
        this.process = process;
        reading = ReadAsync();
    }

    public int Pid => process.Pid;

    public string Name => process.Name;

    /// <summary>Starts a pod in a new network namespace, which lives exactly as long as its processes.</summary>
    /// <exception cref="FlowsException">The namespace cannot be made, or the pod does not answer.</exception>
    public static async Task<PodProcess> StartAsync(string name)
    {
        var pod = new PodProcess(BoundProcess.Start(name, ["unshare", "--net", "--", .. FleetRequirements.FlowsCommand, "demo-pod"]));
        try
        {
            await pod.AskAsync(new PodRequest { Do = "ready" }).ConfigureAwait(false);
            return pod;
        }
        catch
        {
            await pod.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Sends one request and waits for its answer.</summary>
    /// <exception cref="FlowsException">The pod ended, was silent for too long, or answered with an error.</exception>
    public async Task<PodReply> AskAsync(PodRequest request)
    {
        var id = Interlocked.Increment(ref lastId);
        var answer = new TaskCompletionSource<PodReply>(TaskCreationOptions.RunContinuationsAsynchronously);
        open[id] = answer;
        await writing.WaitAsync().ConfigureAwait(false);
        try
        {
            await process.Input.WriteLineAsync(JsonSerializer.Serialize(request with { Id = id }, Json.Compact.PodRequest)).ConfigureAwait(false);
            await process.Input.FlushAsync().ConfigureAwait(false);
        }
        catch (IOException)
        {
            // It has ended; the reader says so to everybody who waits.
        }
        finally
        {
            writing.Release();
        }

        if (reading.IsCompleted)
        {
            throw Ended();
        }

        try
        {
            var reply = await answer.Task.WaitAsync(AnswerTimeMax).ConfigureAwait(false);
            return reply.Error is null ? reply : throw new FlowsException(ExitCode.Failed, $"The demo's {Name} could not {request.Do}: {reply.Error}");
        }
        catch (TimeoutException)
        {
            throw new FlowsException(ExitCode.Failed, $"The demo's {Name} did not answer '{request.Do}' in {AnswerTimeMax.TotalSeconds} s; is this machine overloaded?");
        }
    }

    /// <summary>Runs <c>ip -batch -</c> in the pod's namespace.</summary>
    public Task IpAsync(string script) => AskAsync(new PodRequest { Do = "run", Name = "ip", Arguments = ["-batch", "-"], Input = script });

    /// <summary>Runs <c>nft -f -</c> in the pod's namespace.</summary>
    public Task NftAsync(string script) => AskAsync(new PodRequest { Do = "run", Name = "nft", Arguments = ["-f", "-"], Input = script });

    public Task SetAsync(IReadOnlyList<KernelSetting> settings) => AskAsync(new PodRequest { Do = "set", Settings = settings });

    /// <summary>Ends the pod at once and waits until it is gone.</summary>
    public Task KillAsync() => process.KillAsync();

    public async ValueTask DisposeAsync()
    {
        await process.DisposeAsync().ConfigureAwait(false);
        await reading.ConfigureAwait(false);
        writing.Dispose();
    }

    private async Task ReadAsync()
    {
        while (await process.Output.ReadLineAsync().ConfigureAwait(false) is { } line)
        {
            var reply = JsonSerializer.Deserialize(line, Json.Compact.PodReply)!;
            if (open.TryRemove(reply.Id, out var answer))
            {
                answer.SetResult(reply);
            }
        }

        foreach (var answer in open.Values)
        {
            answer.TrySetException(Ended());
        }
    }

    private FlowsException Ended() => new(ExitCode.Failed, $"The demo's {Name} ended too early: {(process.Errors.Length > 0 ? process.Errors : "it said nothing")}");
}
