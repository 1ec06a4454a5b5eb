extension SunSpecText {
  /// AC meters and weather: models 201 to 204, 211 to 214 and 302 to 308.
  static let meters = #"""
    @201:meter 202:meter 203:meter 204:meter 10s
    A s16 A *A_SF
    AphA s16 A *A_SF
    AphB s16 A *A_SF
    AphC s16 A *A_SF
    A_SF sf
    PhV s16 V *V_SF
    PhVphA s16 V *V_SF
    PhVphB s16 V *V_SF
    PhVphC s16 V *V_SF
    PPV s16 V *V_SF
    PhVphAB s16 V *V_SF
    PhVphBC s16 V *V_SF
    PhVphCA s16 V *V_SF
    V_SF sf
    Hz s16 Hz ^ *Hz_SF
    Hz_SF sf
    W s16 W ^ *W_SF
    WphA s16 W *W_SF
    WphB s16 W *W_SF
    WphC s16 W *W_SF
    W_SF sf
    VA s16 V.A *VA_SF
    VAphA s16 V.A *VA_SF
    VAphB s16 V.A *VA_SF
    VAphC s16 V.A *VA_SF
    VA_SF sf
    VAR s16 var *VAR_SF
    VARphA s16 var *VAR_SF
    VARphB s16 var *VAR_SF
    VARphC s16 var *VAR_SF
    VAR_SF sf
    PF s16 % ^ *PF_SF
    PFphA s16 % *PF_SF
    PFphB s16 % *PF_SF
    PFphC s16 % *PF_SF
    PF_SF sf
    TotWhExp a32 W.h ^ *TotWh_SF
    TotWhExpPhA a32 W.h *TotWh_SF
    TotWhExpPhB a32 W.h *TotWh_SF
    TotWhExpPhC a32 W.h *TotWh_SF
    TotWhImp a32 W.h ^ *TotWh_SF
    TotWhImpPhA a32 W.h *TotWh_SF
    TotWhImpPhB a32 W.h *TotWh_SF
    TotWhImpPhC a32 W.h *TotWh_SF
    TotWh_SF sf
    TotVAhExp a32 V.A.h *TotVAh_SF
    TotVAhExpPhA a32 V.A.h *TotVAh_SF
    TotVAhExpPhB a32 V.A.h *TotVAh_SF
    TotVAhExpPhC a32 V.A.h *TotVAh_SF
    TotVAhImp a32 V.A.h *TotVAh_SF
    TotVAhImpPhA a32 V.A.h *TotVAh_SF
    TotVAhImpPhB a32 V.A.h *TotVAh_SF
    TotVAhImpPhC a32 V.A.h *TotVAh_SF
    TotVAh_SF sf
    TotVArhImpQ1 a32 var.h *TotVArh_SF
    TotVArhImpQ1PhA a32 var.h *TotVArh_SF
    TotVArhImpQ1PhB a32 var.h *TotVArh_SF
    TotVArhImpQ1PhC a32 var.h *TotVArh_SF
    TotVArhImpQ2 a32 var.h *TotVArh_SF
    TotVArhImpQ2PhA a32 var.h *TotVArh_SF
    TotVArhImpQ2PhB a32 var.h *TotVArh_SF
    TotVArhImpQ2PhC a32 var.h *TotVArh_SF
    TotVArhExpQ3 a32 var.h *TotVArh_SF
    TotVArhExpQ3PhA a32 var.h *TotVArh_SF
    TotVArhExpQ3PhB a32 var.h *TotVArh_SF
    TotVArhExpQ3PhC a32 var.h *TotVArh_SF
    TotVArhExpQ4 a32 var.h *TotVArh_SF
    TotVArhExpQ4PhA a32 var.h *TotVArh_SF
    TotVArhExpQ4PhB a32 var.h *TotVArh_SF
    TotVArhExpQ4PhC a32 var.h *TotVArh_SF
    TotVArh_SF sf
    Evt b32 {2:m-event-power-failure,3:m-event-under-voltage,4:m-event-low-pf,5:m-event-over-current,6:m-event-over-voltage,7:m-event-missing-sensor,8:m-event-reserved1,9:m-event-reserved2,10:m-event-reserved3,11:m-event-reserved4,12:m-event-reserved5,13:m-event-reserved6,14:m-event-reserved7,15:m-event-reserved8,16:m-event-oem01,17:m-event-oem02,18:m-event-oem03,19:m-event-oem04,20:m-event-oem05,21:m-event-oem06,22:m-event-oem07,23:m-event-oem08,24:m-event-oem09,25:m-event-oem10,26:m-event-oem11,27:m-event-oem12,28:m-event-oem13,29:m-event-oem14,30:m-event-oem15}
    @211:meter 212:meter 213:meter 214:meter 10s
    A f32 A
    AphA f32 A
    AphB f32 A
    AphC f32 A
    PhV f32 V
    PhVphA f32 V
    PhVphB f32 V
    PhVphC f32 V
    PPV f32 V
    PPVphAB f32 V
    PPVphBC f32 V
    PPVphCA f32 V
    Hz f32 Hz ^
    W f32 W ^
    WphA f32 W
    WphB f32 W
    WphC f32 W
    VA f32 V.A
    VAphA f32 V.A
    VAphB f32 V.A
    VAphC f32 V.A
    VAR f32 var
    VARphA f32 var
    VARphB f32 var
    VARphC f32 var
    PF f32 ^
    PFphA f32
    PFphB f32
    PFphC f32
    TotWhExp f32 W.h ^
    TotWhExpPhA f32 W.h
    TotWhExpPhB f32 W.h
    TotWhExpPhC f32 W.h
    TotWhImp f32 W.h ^
    TotWhImpPhA f32 W.h
    TotWhImpPhB f32 W.h
    TotWhImpPhC f32 W.h
    TotVAhExp f32 V.A.h
    TotVAhExpPhA f32 V.A.h
    TotVAhExpPhB f32 V.A.h
    TotVAhExpPhC f32 V.A.h
    TotVAhImp f32 V.A.h
    TotVAhImpPhA f32 V.A.h
    TotVAhImpPhB f32 V.A.h
    TotVAhImpPhC f32 V.A.h
    TotVArhImpQ1 f32 var.h
    TotVArhImpQ1phA f32 var.h
    TotVArhImpQ1phB f32 var.h
    TotVArhImpQ1phC f32 var.h
    TotVArhImpQ2 f32 var.h
    TotVArhImpQ2phA f32 var.h
    TotVArhImpQ2phB f32 var.h
    TotVArhImpQ2phC f32 var.h
    TotVArhExpQ3 f32 var.h
    TotVArhExpQ3phA f32 var.h
    TotVArhExpQ3phB f32 var.h
    TotVArhExpQ3phC f32 var.h
    TotVArhExpQ4 f32 var.h
    TotVArhExpQ4phA f32 var.h
    TotVArhExpQ4phB f32 var.h
    TotVArhExpQ4phC f32 var.h
    Evt b32 {2:m-event-power-failure,3:m-event-under-voltage,4:m-event-low-pf,5:m-event-over-current,6:m-event-over-voltage,7:m-event-missing-sensor,8:m-event-reserved1,9:m-event-reserved2,10:m-event-reserved3,11:m-event-reserved4,12:m-event-reserved5,13:m-event-reserved6,14:m-event-reserved7,15:m-event-reserved8,16:m-event-oem01,17:m-event-oem02,18:m-event-oem03,19:m-event-oem04,20:m-event-oem05,21:m-event-oem06,22:m-event-oem07,23:m-event-oem08,24:m-event-oem09,25:m-event-oem10,26:m-event-oem11,27:m-event-oem12,28:m-event-oem13,29:m-event-oem14,30:m-event-oem15}
    @302:irradiance 10s
    >sensor
    GHI u16 W/m2 ^
    POAI u16 W/m2 ^
    DFI u16 W/m2
    DNI u16 W/m2
    OTI u16 W/m2
    <
    @303:module-temperature 10s
    >temp
    TmpBOM s16 degC ^ *-1
    <
    @304:inclinometer 10s
    >incl
    Inclx s32 deg *-2
    Incly s32 deg *-2
    Inclz s32 deg *-2
    <
    @305:location 1m
    Tm str6
    Date str4
    Loc str20
    Lat s32 deg *-7
    Long s32 deg *-7
    Alt s32 m
    @306:reference 10s
    GHI u16 W/m2
    A u16 W/m2
    V u16 W/m2
    Tmp u16 W/m2
    @307:weather 10s
    TmpAmb s16 degC ^ *-1
    RH s16 % ^
    Pres s16 hPa
    WndSpd s16 m/s ^
    WndDir s16 deg
    Rain s16 mm
    Snw s16 mm
    PPT s16
    ElecFld s16 V
    SurWet s16 kOhm
    SoilWet s16 %
    @308:weather-mini 10s
    GHI u16 W/m2 ^
    TmpBOM s16 degC *-1
    TmpAmb s16 degC ^ *-1
    WndSpd u16 m/s
    """#
}
