using Flows.Capture.Doctor.Asks;

namespace Flows.Capture.Doctor;

/// <summary>Whether this process might write somewhere, without writing: faccessat(2) with the effective user.</summary>
public static class Writable
{
    private const int AtWorkingDirectory = -100;
    private const int EffectiveAccess = 0x200;
    private const int MayWriteAndEnter = 2 | 1;

    public static bool Directory(string path) => DoctorNative.Access(AtWorkingDirectory, path, MayWriteAndEnter, EffectiveAccess) == 0;
}
