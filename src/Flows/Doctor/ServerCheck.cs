using Flows.Capture.Doctor;
using Flows.Core;
using Flows.Transport;

namespace Flows.Doctor;

/// <summary>Whether the server can be reached and is well, and how far its clock is from ours.</summary>
/// <param name="server">The server that a collector would ship to.</param>
/// <param name="time">This node's clock.</param>
internal sealed class ServerCheck(ServerAddress server, TimeProvider time) : Check("server", "delivery")
{
    // Below what a check may take, so that it is this check that tells.
    private static readonly TimeSpan AnswerMax = Examination.PatienceMax - TimeSpan.FromSeconds(0.2);

    // The Date of an answer has whole seconds.
    private static readonly TimeSpan SkewMax = TimeSpan.FromSeconds(2);

    private const string Hides = "flows wait in the spool until it is full; then they are dropped and counted";

    public override Finding Look(NodeView node)
    {
        try
        {
            using var client = new HttpClient(server.CreateHandler()) { BaseAddress = server.Uri, Timeout = AnswerMax };
            using var request = new HttpRequestMessage(HttpMethod.Get, "api/v1/health");
            using var answer = client.Send(request, HttpCompletionOption.ResponseHeadersRead);
            if (!answer.IsSuccessStatusCode)
            {
                return Fail($"{server} answers {(int)answer.StatusCode} when asked for its health", Hides, "look at /api/v1/health and the log of the server");
            }

            var skew = answer.Headers.Date is { } said ? time.GetUtcNow() - said : TimeSpan.Zero;
            return skew.Duration() > SkewMax
                ? Warn($"{server} is well, but its clock is {-skew.TotalSeconds:0} s from this one's", "names are looked up that far beside the truth", "systemctl enable --now systemd-timesyncd")
                : Ok($"{server} is well, and its clock agrees");
        }
        catch (Exception fault) when (fault is HttpRequestException or TaskCanceledException or IOException)
        {
            var why = fault is TaskCanceledException ? $"no answer within {AnswerMax.TotalSeconds:0.0} s" : fault.InnerException?.Message ?? fault.Message;
            return Fail($"{server} cannot be reached: {VisibleText.Of(why)}", Hides, "flows serve --store DIR --listen ADDRESS:PORT");
        }
    }
}
