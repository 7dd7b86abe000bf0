namespace Flows.Capture.Doctor;

/// <summary>How a finding stands to what a collector wants to see.</summary>
public enum FindingStatus
{
    /// <summary>As it should be. A consequence that is told all the same is what nobody asked for yet.</summary>
    Ok,

    /// <summary>Something is not seen, or seen with less detail.</summary>
    Warn,

    /// <summary>A whole source sees nothing.</summary>
    Fail,

    /// <summary>It could not be looked at; the finding says why.</summary>
    Unknown,
}

/// <summary>What one check found on this node.</summary>
/// <param name="Check">Stable id in snake_case; scripts may rely on it.</param>
/// <param name="Status">How bad it is.</param>
/// <param name="Found">What is the case, in words and figures.</param>
/// <param name="Consequence">What cannot be seen because of it. Empty where all is well.</param>
/// <param name="Mend">The exact commands or manifest lines that mend it, one a line. Empty where there is nothing to mend.</param>
public sealed record Finding(string Check, FindingStatus Status, string Found, string Consequence = "", string Mend = "");
