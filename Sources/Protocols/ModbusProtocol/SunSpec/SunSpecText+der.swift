extension SunSpecText {
  /// Distributed energy resources after IEEE 1547-2018: models 701 to 715.
  static let der = #"""
    @701:der-ac 10s
    ACType e16 {0:single-phase,1:split-phase,2:three-phase}
    St e16 {0:off,1:on}
    InvSt e16 ^ {0:off,1:sleeping,2:starting,3:running,4:throttled,5:shutting-down,6:fault,7:standby}
    ConnSt e16 {0:disconnected,1:connected}
    Alrm b32 ^ {0:ground-fault,1:dc-over-volt,2:ac-disconnect,3:dc-disconnect,4:grid-disconnect,5:cabinet-open,6:manual-shutdown,7:over-temp,8:over-frequency,9:under-frequency,10:ac-over-volt,11:ac-under-volt,12:blown-string-fuse,13:under-temp,14:memory-loss,15:hw-test-failure,16:manufacturer-alrm}
    DERMode b32 {0:grid-following,1:grid-forming,2:pv-clipped}
    W s16 W ^ *W_SF
    VA s16 V.A *VA_SF
    Var s16 var *Var_SF
    PF s16 *PF_SF
    A s16 A *A_SF
    LLV u16 V *V_SF
    LNV u16 V *V_SF
    Hz u32 Hz ^ *Hz_SF
    TotWhInj u64 W.h ^ *TotWh_SF
    TotWhAbs u64 W.h ^ *TotWh_SF
    TotVarhInj u64 var.h *TotVarh_SF
    TotVarhAbs u64 var.h *TotVarh_SF
    TmpAmb s16 degC *Tmp_SF
    TmpCab s16 degC *Tmp_SF
    TmpSnk s16 degC *Tmp_SF
    TmpTrns s16 degC *Tmp_SF
    TmpSw s16 degC *Tmp_SF
    TmpOt s16 degC *Tmp_SF
    WL1 s16 W *W_SF
    VAL1 s16 V.A *VA_SF
    VarL1 s16 var *Var_SF
    PFL1 s16 *PF_SF
    AL1 s16 A *A_SF
    VL1L2 u16 V *V_SF
    VL1 u16 V *V_SF
    TotWhInjL1 u64 W.h *TotWh_SF
    TotWhAbsL1 u64 W.h *TotWh_SF
    TotVarhInjL1 u64 var.h *TotVarh_SF
    TotVarhAbsL1 u64 var.h *TotVarh_SF
    WL2 s16 W *W_SF
    VAL2 s16 V.A *VA_SF
    VarL2 s16 var *Var_SF
    PFL2 s16 *PF_SF
    AL2 s16 A *A_SF
    VL2L3 u16 V *V_SF
    VL2 u16 V *V_SF
    TotWhInjL2 u64 W.h *TotWh_SF
    TotWhAbsL2 u64 W.h *TotWh_SF
    TotVarhInjL2 u64 var.h *TotVarh_SF
    TotVarhAbsL2 u64 var.h *TotVarh_SF
    WL3 s16 W *W_SF
    VAL3 s16 V.A *VA_SF
    VarL3 s16 var *Var_SF
    PFL3 s16 *PF_SF
    AL3 s16 A *A_SF
    VL3L1 u16 V *V_SF
    VL3 u16 V *V_SF
    TotWhInjL3 u64 W.h *TotWh_SF
    TotWhAbsL3 u64 W.h *TotWh_SF
    TotVarhInjL3 u64 var.h *TotVarh_SF
    TotVarhAbsL3 u64 var.h *TotVarh_SF
    ThrotPct u16 %
    ThrotSrc b32 {0:max-w,1:fixed-w,2:fixed-var,3:fixed-pf,4:volt-var,5:freq-watt,6:dyn-react-curr,7:lvrt,8:hvrt,9:watt-var,10:volt-watt,11:scheduled,12:lfrt,13:hfrt,14:derated}
    A_SF sf
    V_SF sf
    Hz_SF sf
    W_SF sf
    PF_SF sf
    VA_SF sf
    Var_SF sf
    TotWh_SF sf
    TotVarh_SF sf
    Tmp_SF sf
    MnAlrmInfo str32
    @702:der-capacity 1h
    WMaxRtg u16 W *W_SF =
    WOvrExtRtg u16 W *W_SF =
    WOvrExtRtgPF u16 *PF_SF =
    WUndExtRtg u16 W *W_SF =
    WUndExtRtgPF u16 *PF_SF =
    VAMaxRtg u16 V.A *VA_SF =
    VarMaxInjRtg u16 var *Var_SF =
    VarMaxAbsRtg u16 var *Var_SF =
    WChaRteMaxRtg u16 W *W_SF =
    WDisChaRteMaxRtg u16 W *W_SF =
    VAChaRteMaxRtg u16 V.A *VA_SF =
    VADisChaRteMaxRtg u16 V.A *VA_SF =
    VNomRtg u16 V *V_SF =
    VMaxRtg u16 V *V_SF =
    VMinRtg u16 V *V_SF =
    AMaxRtg u16 A *A_SF =
    PFOvrExtRtg u16 *PF_SF =
    PFUndExtRtg u16 *PF_SF =
    ReactSusceptRtg u16 s *S_SF =
    NorOpCatRtg e16 = {0:cat-a,1:cat-b}
    AbnOpCatRtg e16 = {0:cat-1,1:cat-2,2:cat-3}
    CtrlModes b32 = {0:max-w,1:fixed-w,2:fixed-var,3:fixed-pf,4:volt-var,5:freq-watt,6:dyn-react-curr,7:lv-trip,8:hv-trip,9:watt-var,10:volt-watt,11:scheduled,12:lf-trip,13:hf-trip}
    IntIslandCatRtg b16 = {0:uncategorized,1:int-isl-capable,2:black-start-capable,3:isoch-capable}
    WMax u16 W *W_SF !
    WMaxOvrExt u16 W *W_SF !
    WOvrExtPF u16 *PF_SF !
    WMaxUndExt u16 W *W_SF !
    WUndExtPF u16 *PF_SF !
    VAMax u16 V.A *VA_SF !
    VarMaxInj u16 var *Var_SF !
    VarMaxAbs u16 var *Var_SF !
    WChaRteMax u16 W *W_SF !
    WDisChaRteMax u16 W *W_SF !
    VAChaRteMax u16 V.A *VA_SF !
    VADisChaRteMax u16 V.A *VA_SF !
    VNom u16 V *V_SF !
    VMax u16 V *V_SF !
    VMin u16 V *V_SF !
    AMax u16 A *A_SF !
    PFOvrExt u16 *PF_SF !
    PFUndExt u16 *PF_SF !
    IntIslandCat b16 ! {0:uncategorized,1:int-isl-capable,2:black-start-capable,3:isoch-capable}
    W_SF sf
    PF_SF sf
    VA_SF sf
    Var_SF sf
    V_SF sf
    A_SF sf
    S_SF sf
    @703:der-enter 1m
    ES e16 ! {0:disabled,1:enabled}
    ESVHi u16 % *V_SF !
    ESVLo u16 % *V_SF !
    ESHzHi u32 Hz *Hz_SF !
    ESHzLo u32 Hz *Hz_SF !
    ESDlyTms u32 s !
    ESRndTms u32 s !
    ESRmpTms u32 s !
    ESDlyRemTms u32 s
    V_SF sf
    Hz_SF sf
    @704:der-control 10s
    PFWInjEna e16 ! {0:disabled,1:enabled}
    PFWInjEnaRvrt e16 ! {0:disabled,1:enabled}
    PFWInjRvrtTms u32 s !
    PFWInjRvrtRem u32 s
    PFWAbsEna e16 ! {0:disabled,1:enabled}
    PFWAbsEnaRvrt e16 ! {0:disabled,1:enabled}
    PFWAbsRvrtTms u32 s !
    PFWAbsRvrtRem u32 s
    WMaxLimPctEna e16 ! {0:disabled,1:enabled}
    WMaxLimPct u16 % *WMaxLimPct_SF !
    WMaxLimPctRvrt u16 % *WMaxLimPct_SF !
    WMaxLimPctEnaRvrt e16 ! {0:disabled,1:enabled}
    WMaxLimPctRvrtTms u32 s !
    WMaxLimPctRvrtRem u32 s
    WSetEna e16 ! {0:disabled,1:enabled}
    WSetMod e16 ! {0:w-max-pct,1:watts}
    WSet s32 W *WSet_SF !
    WSetRvrt s32 W *WSet_SF !
    WSetPct s16 % *WSetPct_SF !
    WSetPctRvrt s16 % *WSetPct_SF !
    WSetEnaRvrt e16 ! {0:disabled,1:enabled}
    WSetRvrtTms u32 s !
    WSetRvrtRem u32 s
    VarSetEna e16 ! {0:disabled,1:enabled}
    VarSetMod e16 ! {0:w-max-pct,1:var-max-pct,2:var-avail-pct,3:va-max-pct,4:vars}
    VarSetPri e16 ! {0:active,1:reactive,2:vendor}
    VarSet s32 var *VarSet_SF !
    VarSetRvrt s32 var *VarSet_SF !
    VarSetPct s16 % *VarSetPct_SF !
    VarSetPctRvrt s16 % *VarSetPct_SF !
    VarSetEnaRvrt e16 ! {0:disabled,1:enabled}
    VarSetRvrtTms u32 s !
    VarSetRvrtRem u32 s
    WRmp u16 %/s !
    WRmpRef e16 ! {0:a-max,1:w-max}
    VarRmp u16 %/s !
    AntiIslEna e16 ! {0:disabled,1:enabled}
    PF_SF sf
    WMaxLimPct_SF sf
    WSet_SF sf
    WSetPct_SF sf
    VarSet_SF sf
    VarSetPct_SF sf
    >pfwinj 1
    PF u16 *PF_SF !
    Ext e16 ! {0:over-excited,1:under-excited}
    <
    >pfwinjrvrt 1
    PF u16 *PF_SF !
    Ext e16 ! {0:over-excited,1:under-excited}
    <
    >pfwabs 1
    PF u16 *PF_SF !
    Ext e16 ! {0:over-excited,1:under-excited}
    <
    >pfwabsrvrt 1
    PF u16 *PF_SF !
    Ext e16 ! {0:over-excited,1:under-excited}
    <
    @705:der-volt-var 10m
    Ena e16 ! {0:disabled,1:enabled}
    AdptCrvReq u16 !
    AdptCrvRslt e16 {0:in-progress,1:completed,2:failed}
    NPt u16 =
    NCrv u16 =
    RvrtTms u32 s !
    RvrtRem u32 s
    RvrtCrv u16 !
    V_SF sf
    DeptRef_SF sf
    RspTms_SF sf
    >crv NCrv
    ActPt u16 !
    DeptRef e16 ! {0:w-max-pct,1:var-max-pct,2:var-aval-pct,3:va-max-pct}
    Pri e16 ! {0:active,1:reactive,2:vendor}
    VRef u16 % *V_SF !
    VRefAuto u16 % *V_SF
    VRefAutoEna e16 ! {0:disabled,1:enabled}
    VRefAutoTms u16 s !
    RspTms u32 s *RspTms_SF !
    ReadOnly e16 = {0:rw,1:r}
    >pt NPt
    V u16 % *V_SF !
    Var s16 *DeptRef_SF !
    <
    <
    @706:der-volt-watt 10m
    Ena e16 ! {0:disabled,1:enabled}
    AdptCrvReq u16 !
    AdptCrvRslt e16 {0:in-progress,1:completed,2:failed}
    NPt u16 =
    NCrv u16 =
    RvrtTms u32 s !
    RvrtRem u32 s
    RvrtCrv u16 !
    V_SF sf
    DeptRef_SF sf
    RspTms_SF sf
    >crv NCrv
    ActPt u16 !
    DeptRef e16 ! {0:w-max-pct,1:w-aval-pct}
    RspTms u32 s *RspTms_SF !
    ReadOnly e16 = {0:rw,1:r}
    >pt NPt
    V u16 % *V_SF !
    W s16 *DeptRef_SF !
    <
    <
    @707:der-trip-lv 708:der-trip-hv 10m
    Ena e16 ! {0:disabled,1:enabled}
    AdptCrvReq u16 !
    AdptCrvRslt e16 {0:in-progress,1:completed,2:failed}
    NPt u16 =
    NCrvSet u16 =
    V_SF sf
    Tms_SF sf
    >crv NCrvSet
    ReadOnly e16 = {0:rw,1:r}
    >musttrip 1
    ActPt u16 !
    >pt NPt
    V u16 % *V_SF !
    Tms u32 s *Tms_SF !
    <
    <
    >maytrip 1
    ActPt u16 !
    >pt NPt
    V u16 % *V_SF !
    Tms u32 s *Tms_SF !
    <
    <
    >momcess 1
    ActPt u16 !
    >pt NPt
    V u16 % *V_SF !
    Tms u32 s *Tms_SF !
    <
    <
    <
    @709:der-trip-lf 710:der-trip-hf 10m
    Ena e16 ! {0:disabled,1:enabled}
    AdptCrvReq u16 !
    AdptCrvRslt e16 {0:in-progress,1:completed,2:failed}
    NPt u16 =
    NCrvSet u16 =
    Hz_SF sf
    Tms_SF sf
    >crv NCrvSet
    ReadOnly e16 = {0:rw,1:r}
    >musttrip 1
    ActPt u16 !
    >pt NPt
    Hz u32 Hz *Hz_SF !
    Tms u32 s *Tms_SF !
    <
    <
    >maytrip 1
    ActPt u16 !
    >pt NPt
    Hz u32 Hz *Hz_SF !
    Tms u32 s *Tms_SF !
    <
    <
    >momcess 1
    ActPt u16 !
    >pt NPt
    Hz u32 Hz *Hz_SF !
    Tms u32 s *Tms_SF !
    <
    <
    <
    @711:der-freq-droop 10m
    Ena e16 ! {0:disabled,1:enabled}
    AdptCtlReq u16 !
    AdptCtlRslt e16 {0:in-progress,1:completed,2:failed}
    NCtl u16 =
    RvrtTms u32 s !
    RvrtRem u32 s
    RvrtCtl u16 !
    Db_SF sf
    K_SF sf
    RspTms_SF sf
    >ctl NCtl
    DbOf u32 Hz *Db_SF !
    DbUf u32 Hz *Db_SF !
    KOf u16 *K_SF !
    KUf u16 *K_SF !
    RspTms u32 s *RspTms_SF !
    PMin s16 % !
    ReadOnly e16 = {0:rw,1:r}
    <
    @712:der-watt-var 10m
    Ena e16 ! {0:disabled,1:enabled}
    AdptCrvReq u16 !
    AdptCrvRslt e16 {0:in-progress,1:completed,2:failed}
    NPt u16 =
    NCrv u16 =
    RvrtTms u32 s !
    RvrtRem u32 s
    RvrtCrv u16 !
    W_SF sf
    DeptRef_SF sf
    >crv NCrv
    ActPt u16 !
    DeptRef e16 ! {0:w-max-pct,1:var-max-pct,2:var-aval-pct,3:va-max-pct}
    Pri e16 ! {0:active,1:reactive}
    ReadOnly e16 = {0:rw,1:r}
    >pt NPt
    W s16 % *W_SF !
    Var s16 % *DeptRef_SF !
    <
    <
    @713:der-storage 10s
    WHRtg u16 W.h *WH_SF
    WHAvail u16 W.h *WH_SF
    SoC u16 % ^ *Pct_SF
    SoH u16 % ^ *Pct_SF
    Sta e16 ^ {0:ok,1:warning,2:error}
    WH_SF sf
    Pct_SF sf
    @714:der-dc 10s
    PrtAlrms b32
    NPrt u16 =
    DCA s16 A *DCA_SF
    DCW s16 W ^ *DCW_SF
    DCWhInj u64 W.h *DCWH_SF
    DCWhAbs u64 W.h *DCWH_SF
    DCA_SF sf
    DCV_SF sf
    DCW_SF sf
    DCWH_SF sf
    Tmp_SF sf
    >prt NPrt
    PrtTyp e16 {0:pv,1:ess,2:ev,3:inj,4:abs,5:bidir,6:dc-dc}
    ID u16
    IDStr str8
    DCA s16 A *DCA_SF
    DCV u16 V *DCV_SF
    DCW s16 W ^ *DCW_SF
    DCWhInj u64 W.h *DCWH_SF
    DCWhAbs u64 W.h *DCWH_SF
    Tmp s16 degC *Tmp_SF
    DCSta e16 {0:off,1:on,2:warning,3:error}
    DCAlrm b32 {0:ground-fault,1:input-over-voltage,3:dc-disconnect,5:cabinet-open,6:manual-shutdown,7:over-temp,12:blown-fuse,13:under-temp,14:memory-loss,15:arc-detection,19:reserved,20:test-failed,21:input-under-voltage,22:input-over-current}
    <
    @715:der 10s
    LocRemCtl e16 {0:remote,1:local}
    DERHb u32
    ControllerHb u32 !
    AlarmReset u16 !
    OpCtl e16 ! {0:stop,1:start,2:enter-standby,3:exit-standby}
    """#
}
